package docker

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
)

// Ping finds out whether a daemon answers.
func (d *Daemon) Ping(ctx context.Context) error {
	c := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext:       func(ctx context.Context, _, _ string) (net.Conn, error) { return d.Dial(ctx) },
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return err
	}
	resp, err := c.Do(req)
	if err != nil {
		var request *url.Error
		if errors.As(err, &request) {
			err = request.Err // which names the daemon
		}
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return d.failed(errors.New(resp.Status))
	}
	return nil
}
