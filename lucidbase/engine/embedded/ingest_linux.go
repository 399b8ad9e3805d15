package embedded

import (
	"context"
	"errors"

	"github.com/containerd/containerd/v2/core/content"
)

// wholeWrites is a content store in which a write that broke off starts again:
// BuildKit cannot ask a client for a blob from its middle on, and each pull of the
// blob would fail until somebody removed what is there of it.
type wholeWrites struct{ content.Store }

// Writer implements content.Ingester.
func (s wholeWrites) Writer(ctx context.Context, opts ...content.WriterOpt) (content.Writer, error) {
	w, err := s.Store.Writer(ctx, opts...)
	if err != nil {
		return nil, err
	}
	status, err := w.Status()
	if err == nil && status.Offset > 0 && status.Offset != status.Total {
		err = w.Truncate(0)
	}
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}
