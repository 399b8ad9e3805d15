package yaml_test

import (
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lucidtest"
)

// The services of a file are a program's, too: here, to be tested.
func TestServices(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs images")
	}
	services, err := file.Load(os.DirFS("."), file.Name)
	require.NoError(t, err)
	require.Len(t, services, 2)

	web := lucidtest.Run(t, services["web"], lucidtest.WaitHTTP("/"))
	res, err := web.Client().Get("http://web:8000/")
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "Hello, world!\n", string(text))

	counter := lucidtest.Run(t, services["counter"], lucidtest.Env("INTERVAL", "0.01"), lucidtest.Env("PYTHONUNBUFFERED", "1"), lucidtest.WaitLog("3\n"))
	count, err := counter.ReadFile("/app/data/count")
	require.NoError(t, err)
	require.NotEmpty(t, count)
}
