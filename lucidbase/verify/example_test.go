package verify_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// Any v1.Image can be judged: one of a registry (package remote of
// go-containerregistry), a layout, an archive.
func ExampleImage() {
	img, err := mutate.Config(empty.Image, v1.Config{
		User: "root",
		Cmd:  []string{"/bin/sh", "-c", "python app.py"},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	result, err := verify.Image(context.Background(), img, verify.Contract{Only: []string{"user", "command"}}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range result.Findings {
		fmt.Println(f)
	}
	// Output:
	// user: config:User: user "root" is a name that /etc/passwd does not have
	// command: config:Cmd: shell form, which needs a shell: /bin/sh -c
}

// A waiver excuses one path from one rule, for a reason.
func ExampleParseWaiver() {
	w, err := verify.ParseWaiver("link:/etc/localtime=mounted when the container runs")
	fmt.Println(w.Rule, w.Path, w.Reason, err)
	_, err = verify.ParseWaiver("link:/etc/localtime")
	fmt.Println(err)
	// Output:
	// link /etc/localtime mounted when the container runs <nil>
	// waiver "link:/etc/localtime": not RULE:PATH=REASON
}

// Check is pure: layers that were scanned once can be judged again and again, with
// other configs and by other contracts.
func ExampleCheck() {
	var tmp bytes.Buffer
	w := tar.NewWriter(&tmp)
	if err := errors.Join(w.WriteHeader(&tar.Header{Name: "tmp/", Typeflag: tar.TypeDir, Mode: 0o777}), w.Close()); err != nil {
		fmt.Println(err)
		return
	}
	layers := []v1.Layer{static.NewLayer(tmp.Bytes(), types.OCIUncompressedLayer)}
	facts, err := verify.ScanAll(context.Background(), layers, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	config := &v1.ConfigFile{Architecture: "amd64", OS: "linux", Config: v1.Config{User: "65532:65532"}}
	for _, f := range verify.Check(config, facts, verify.Contract{Only: []string{"world-writable"}}) {
		fmt.Println(f.Path, "-", f.Found)
	}
	// Output:
	// /tmp - a directory that everybody may write, not sticky, mode 0777
}
