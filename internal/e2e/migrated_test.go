//go:build linux

package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/cli"
	servicefile "github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lucidtest"
	"github.com/lucid-project/base-images/variants"
)

// shopDockerfile is how people build the shop: packages and source by way of a builder,
// a check in the last stage, and a health check in the interpreter.
const shopDockerfile = `FROM --platform=$TARGETPLATFORM python:3.11-slim-bookworm AS builder
WORKDIR /build
COPY requirements.txt ./
RUN pip install --user --no-cache-dir -r requirements.txt
COPY shop/ ./shop/
RUN echo "SHOP_$(date +%s)" > ./shop/.marker && chown -R 65532:65532 ./shop
FROM --platform=$TARGETPLATFORM gcr.io/distroless/python3-debian12:latest
ENV PYTHONPATH=/app:/usr/local/lib/python3.11/site-packages SHOP_PORT=5000
WORKDIR /app
COPY --from=builder --chown=65532:65532 /root/.local/lib/python3.11/site-packages /usr/local/lib/python3.11/site-packages
COPY --from=builder --chown=65532:65532 /build/shop /app/shop
RUN ["/usr/bin/python3.11", "-c", "import flask, redis"]
EXPOSE 5000
HEALTHCHECK --interval=30s CMD ["/usr/bin/python3.11", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:5000/healthz')"]
USER 65532:65532
ENTRYPOINT []
CMD ["/usr/bin/python3.11", "-m", "gunicorn", "-b", "0.0.0.0:5000", "shop:create_app()"]
`

// A Dockerfile becomes a service that is built, starts and answers, by the command alone.
func TestLongMigrated(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", needEngine(t).lockHome())
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS("testdata/services/shop")))
	for from, to := range map[string]string{"flask.in": "requirements.txt", "flask.lock.txt": "requirements.lock.txt", "flask.lock.toml": "requirements.lock.toml"} {
		data, err := os.ReadFile(filepath.Join(fleetDir, from))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, to), data, 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(shopDockerfile), 0o600))
	var said bytes.Buffer
	code := cli.Run(t.Context(), []string{"migrate", filepath.Join(dir, "Dockerfile"), "--output", filepath.Join(dir, servicefile.Name)}, cli.Streams{Out: &said, Err: &said, Getenv: os.Getenv})
	require.Zero(t, code, said.String())
	services, err := servicefile.Reader{
		FS: os.DirFS(dir), Name: servicefile.Name, Validate: true,
		From: func(from string) variants.From { return variants.Dir(filepath.Join(dir, from)) },
	}.Services()
	require.NoError(t, err)
	require.Len(t, services, 1)
	for _, s := range services {
		c := lucidtest.Run(t, s, lucidtest.WaitHealthy())
		res, err := c.Client().Get("http://localhost:5000/healthz")
		require.NoError(t, err)
		defer res.Body.Close()
		require.Equal(t, 200, res.StatusCode)
	}
}
