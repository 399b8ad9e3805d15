package main

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// The service takes an order, with a real Redis beside it.
func TestOrders(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs images")
	}
	service, err := api()
	require.NoError(t, err)
	c := lucidtest.Run(t, service, lucidtest.WaitHealthy(),
		lucidtest.Peers(t, map[string]lucidtest.Peer{"redis": {
			Packages: []string{"redis-server"},
			Options:  []lucidtest.Option{lucidtest.Args("redis-server", "--protected-mode", "no"), lucidtest.WaitPort(6379)},
		}}))
	ask := func(method, path, body string) (int, string) {
		req, err := http.NewRequest(method, c.URL()+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(text)
	}
	status, text := ask("PUT", "/orders/1", `{"item": "tea", "count": 2}`)
	require.Equal(t, 200, status, text)
	status, text = ask("GET", "/orders/1", "")
	require.Equal(t, 200, status, text)
	require.JSONEq(t, `{"item": "tea", "count": 2}`, text)
	status, _ = ask("GET", "/orders/2", "")
	require.Equal(t, 404, status)
	status, _ = ask("PUT", "/orders/3", `{"item": "tea", "count": 0}`)
	require.Equal(t, 422, status)
}
