package file_test

import (
	"fmt"
	"testing/fstest"

	"github.com/lucid-project/base-images/lucidbase/file"
)

// Services are read from a file as they would be written in Go.
func ExampleLoad() {
	fsys := fstest.MapFS{
		"lucidbase.yaml": {Data: []byte(`
services:
  hello:
    base: bare-base
    source:
      - {from: src, to: /app/src}
    command: [python, -m, src.main]
    port: 8000
`)},
		"src/main.py": {Data: []byte("print('hello')\n")},
	}
	services, err := file.Load(fsys, file.Name)
	if err != nil {
		fmt.Println(err)
		return
	}
	hello := services["hello"]
	fmt.Println(hello.Name, hello.Command, hello.Port)
	// Output: hello [python -m src.main] 8000
}
