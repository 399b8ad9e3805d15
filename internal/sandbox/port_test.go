package sandbox

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/require"
)

func TestPort(t *testing.T) {
	exposed := func(ports ...string) v1.Config {
		c := v1.Config{ExposedPorts: map[string]struct{}{}}
		for _, p := range ports {
			c.ExposedPorts[p] = struct{}{}
		}
		return c
	}
	for name, c := range map[string]struct {
		image v1.Config
		env   []string
		want  string
	}{
		"exposed":           {exposed("8000/tcp"), nil, "8000"},
		"without protocol":  {exposed("8000"), nil, "8000"},
		"beside UDP":        {exposed("8000/tcp", "53/udp"), nil, "8000"},
		"variable of image": {v1.Config{Env: []string{"PORT=1", "PORT=2"}}, nil, "2"},
		"variable":          {v1.Config{Env: []string{"PORT=1"}}, []string{"PORT=3"}, "3"},
		"emptied variable":  {exposed("8000/tcp"), []string{"PORT="}, "8000"},
	} {
		got, err := Port(c.image, c.env)
		require.NoError(t, err, name)
		require.Equal(t, c.want, got, name)
	}
	_, err := Port(v1.Config{}, nil)
	require.ErrorContains(t, err, "the image exposes none")
	_, err = Port(exposed("2/tcp", "1/tcp"), nil)
	require.ErrorContains(t, err, "several, 1, 2,")
}

func TestHostName(t *testing.T) {
	for title, want := range map[string]string{"gateway": "gateway", "team/Gateway": "gateway", "": "app", "a_b": "app", "-": "app"} {
		require.Equal(t, want, HostName(v1.Config{Labels: map[string]string{"org.opencontainers.image.title": title}}), title)
	}
	require.Equal(t, "app", HostName(v1.Config{}))
}

func TestListeners(t *testing.T) {
	for want, list := range map[string][]string{
		"it listens on no port": nil,
		"it listens on 127.0.0.1:8000, [::1]:9, which nobody outside reaches: 0.0.0.0 is needed": {"127.0.0.1:8000", "[::1]:9"},
		"it listens on 127.0.0.1:8000, 0.0.0.0:9":                                                {"127.0.0.1:8000", "0.0.0.0:9"},
	} {
		require.Equal(t, want, Listeners(list))
	}
}
