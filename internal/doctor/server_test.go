package doctor

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serve is a server of both archives that answers with a status.
func serve(t *testing.T, status int) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	t.Cleanup(s.Close)
	return s.URL
}

// silent is a server that takes connections and says nothing.
func silent(t *testing.T) string {
	t.Helper()
	lis, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lis.Close()) })
	return "http://" + lis.Addr().String()
}

// refuses is the address of nobody.
func refuses(t *testing.T) string {
	t.Helper()
	s := httptest.NewServer(nil)
	s.Close()
	return s.URL
}

func untrusted(t *testing.T) string {
	t.Helper()
	s := httptest.NewUnstartedServer(nil)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s.URL
}

func machine(mirrors ...string) *Machine {
	return &Machine{
		Engine: func(context.Context) (string, string, error) {
			return "building with the BuildKit in this program", "", nil
		},
		Embedded:  true,
		Mirrors:   map[string][]string{"debian": mirrors, "debian-security": mirrors},
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		Now:       time.Now,
	}
}

func TestMirrors(t *testing.T) {
	good := serve(t, http.StatusOK)
	password := strings.Replace(refuses(t), "http://", "http://user:secret@", 1)
	for name, c := range map[string]struct {
		mirrors []string
		status  Status
		says    string
	}{
		"good":             {[]string{good}, OK, "all 2 answer"},
		"none is named":    {nil, Note, "snapshot archive"},
		"one of two":       {[]string{refuses(t), good}, Note, "connection refused"},
		"refuses":          {[]string{refuses(t)}, Bad, "connection refused: check the network"},
		"a password":       {[]string{password}, Bad, "user:xxxxx@"},
		"has no such file": {[]string{serve(t, http.StatusNotFound)}, Bad, "404 Not Found"},
		"silent":           {[]string{silent(t)}, Bad, "no answer"},
		"not trusted":      {[]string{untrusted(t)}, Bad, "--ca-bundle"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			found := machine(c.mirrors...).mirrors(ctx)
			require.Equal(t, c.status, found.Status, found)
			require.Contains(t, found.Found+": "+found.Advice, c.says)
			require.NotContains(t, found.Found+found.Advice, "secret")
		})
	}
}

func TestIndex(t *testing.T) {
	for address, status := range map[string]Status{
		serve(t, http.StatusUnauthorized): OK, serve(t, http.StatusOK): OK, serve(t, http.StatusBadGateway): Bad, refuses(t): Bad,
	} {
		m := machine()
		m.Indexes = []string{address}
		require.Equal(t, status, m.index(t.Context()).Status, address)
	}
	require.Equal(t, OK, machine().index(t.Context()).Status)
}

func TestClock(t *testing.T) {
	for name, c := range map[string]struct {
		off    time.Duration
		status Status
	}{
		"right": {0, OK}, "a minute": {time.Minute, OK}, "ahead": {time.Hour, Bad}, "behind": {-25 * time.Hour, Bad},
	} {
		t.Run(name, func(t *testing.T) {
			m := machine(serve(t, http.StatusOK))
			m.Now = func() time.Time { return time.Now().Add(c.off) }
			require.Equal(t, c.status, m.clock(t.Context()).Status)
		})
	}
	require.Equal(t, Note, machine(refuses(t)).clock(t.Context()).Status, "nobody to ask")
}

func TestTrustAndRegistry(t *testing.T) {
	m := machine(refuses(t))
	require.Equal(t, OK, m.trust(t.Context()).Status)
	require.Equal(t, OK, m.registry(t.Context()).Status)
	m.TrustError = errors.New("ca.pem: no certificate in it")
	require.Contains(t, m.trust(t.Context()).Found, "ca.pem")
	require.Equal(t, Note, m.mirrors(t.Context()).Status)
	m.Push = func(context.Context) error { return errors.New("401 Unauthorized") }
	require.Contains(t, m.registry(t.Context()).Advice, "docker login")
}

func TestEngine(t *testing.T) {
	m := machine()
	require.Equal(t, OK, m.engine(t.Context()).Status)
	m.Engine = func(context.Context) (string, string, error) { return "building with a", "without b:\ngone", nil }
	found := m.engine(t.Context())
	require.Equal(t, Note, found.Status)
	require.Equal(t, "building with a; without b: gone", found.Found)
	m.Engine = func(context.Context) (string, string, error) { return "", "", errors.New("nobody\nthere") }
	found = m.engine(t.Context())
	require.Equal(t, Bad, found.Status)
	require.Equal(t, "nobody there", found.Found)
	require.Contains(t, found.Advice, "--engine")
	m.Hint = func(error) string { return "start it" }
	require.Equal(t, "start it", m.engine(t.Context()).Advice)
}

// Who looks does not wait for a check that never ends.
func TestLookIsBounded(t *testing.T) {
	never := make(chan struct{})
	defer close(never)
	m := machine()
	m.patience = 100 * time.Millisecond
	found := m.look(t.Context(), []check{
		{"stuck", func(*Machine, context.Context) Finding { <-never; return Finding{} }},
		{"stuck too", func(*Machine, context.Context) Finding { <-never; return Finding{} }},
		{"fine", func(*Machine, context.Context) Finding { return ok("fine") }},
	})
	require.Equal(t, []Status{Bad, Bad, OK}, []Status{found[0].Status, found[1].Status, found[2].Status})
	require.Equal(t, "stuck too", found[1].Check)
}
