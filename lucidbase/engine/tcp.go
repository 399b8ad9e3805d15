package engine

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"

	"github.com/moby/buildkit/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/lucid-project/base-images/internal/certs"
)

// tcpEndpoint is encrypted where the address or LUCID_ENGINE_CERTS names certificates.
func tcpEndpoint(ctx context.Context, address string) (endpoint, error) {
	u, err := url.Parse(address)
	if err != nil {
		return endpoint{}, err
	}
	dir := u.Query().Get("cert")
	if dir == "" {
		dir = os.Getenv("LUCID_ENGINE_CERTS")
	}
	e := endpoint{name: "BuildKit at tcp://" + u.Host, address: "tcp://" + u.Host}
	if dir == "" {
		e.explain = func(ctx context.Context) error { return wantsTLS(ctx, u.Host) }
		return e, nil
	}
	config, err := certs.Read(ctx, dir)
	if err != nil {
		return endpoint{}, err
	}
	e.explain = func(ctx context.Context) error { return refusal(ctx, u.Host, config) }
	e.options = append(e.options, client.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewTLS(config))))
	return e, nil
}

// alertTime is how long a server may take to refuse a certificate.
const alertTime = 2 * time.Second

// ErrWantsTLS says that a BuildKit answers with TLS alone.
var ErrWantsTLS = errors.New("it wants TLS: name its certificates with ?cert=DIR or LUCID_ENGINE_CERTS")

// wantsTLS reports that a server which hung up on a plain connection speaks TLS.
func wantsTLS(ctx context.Context, host string) error {
	ctx, cancel := context.WithTimeout(ctx, alertTime)
	defer cancel()
	// Nothing is sent, and nobody is believed: the question is whether it is TLS.
	d := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // see above
	conn, err := d.DialContext(ctx, "tcp", host)
	var alert tls.AlertError
	if err == nil {
		err = conn.Close()
	} else if !errors.As(err, &alert) {
		return nil
	}
	return errors.Join(ErrWantsTLS, err)
}

// refusal is what a server says of the client's certificate. In TLS 1.3 it says so after
// the handshake, when gRPC has begun to send and sees nothing but the end.
func refusal(ctx context.Context, host string, config *tls.Config) error {
	ctx, cancel := context.WithTimeout(ctx, alertTime)
	defer cancel()
	d := tls.Dialer{Config: config}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil // gRPC has seen the same
	}
	defer conn.Close()
	if err := conn.SetReadDeadline(time.Now().Add(alertTime)); err != nil {
		return nil
	}
	_, err = conn.Read(make([]byte, 1))
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "remote error" {
		return fmt.Errorf("it refuses the client's certificate: %w", op.Err)
	}
	return nil
}
