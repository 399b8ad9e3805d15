// Command step is the one program of the conformance suite's images.
package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(what, text string) error {
	switch what {
	case "write":
		fmt.Println("writing", text)
		return write(text)
	case "secret": // text is the variable that has it
		sum := sha256.Sum256([]byte(os.Getenv(text)))
		return write(fmt.Sprintf("%x", sum))
	case "fail":
		return fmt.Errorf("ERROR: %s", text)
	case "sleep":
		fmt.Println("sleeping")
		time.Sleep(time.Hour)
	case "pause":
		fmt.Println("pausing")
		time.Sleep(4 * time.Second)
		return write(text)
	}
	return nil
}

// write gives its one file a constant time.
func write(text string) error {
	if err := os.WriteFile("/out/file", []byte(text), 0o644); err != nil {
		return err
	}
	created := time.Unix(1<<30, 0)
	return os.Chtimes("/out/file", created, created)
}
