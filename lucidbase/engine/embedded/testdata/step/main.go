// Command step is the one program of the tests' image.
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	var err error
	switch os.Args[1] {
	case "write": // PATH TEXT: with the modes that the umask leaves of all
		if err = os.MkdirAll(os.Args[2]+".d", 0o777); err == nil {
			err = os.WriteFile(os.Args[2], []byte(os.Args[3]), 0o666)
		}
	case "interfaces": // PATH
		var all []net.Interface
		all, err = net.Interfaces()
		var names []string
		for _, i := range all {
			names = append(names, i.Name)
		}
		if err == nil {
			err = os.WriteFile(os.Args[2], []byte(strings.Join(names, " ")), 0o644)
		}
	case "pause": // MARK: for a second
		fmt.Println("pausing")
		time.Sleep(time.Second)
	case "sleep": // MARK: for ever; MARK is for who looks for the process
		fmt.Println("sleeping")
		for {
			time.Sleep(time.Hour)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
