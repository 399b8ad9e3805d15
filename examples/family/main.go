// Command family builds three services that have one base, one lock and one package of
// their own in common: "go run . build" builds all, "go run . build orders" one of them.
//
// Their lock was written by "lucidbase lock -r requirements.txt --base bare".
package main

import (
	"embed"
	"log"

	"github.com/lucid-project/base-images/lucidbase/command"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

//go:embed all:common all:gateway all:orders all:users requirements.lock.*
var files embed.FS

// family fills in what all services share: the base and packages, whose layers all
// images have once, the package common, the port and the labels.
func family(s variants.Service) variants.Service {
	locked, err := lock.Read(files, "requirements.lock.txt")
	if err != nil {
		log.Fatal(err)
	}
	s.Base, s.Lock, s.Port = variants.Bare{}, locked, 8000
	s.Source = []variants.Source{{From: variants.FS(files), To: "/app", Include: []string{"common", s.Name}}}
	s.Command = []string{"python", "-m", s.Name}
	s.Health = variants.Health{Path: "/health"}
	s.Labels = map[string]string{"org.opencontainers.image.vendor": "Lucid"}
	return s
}

var (
	gateway = family(variants.Service{Name: "gateway", Env: map[string]string{"BACKENDS": "orders users"}})
	orders  = family(variants.Service{Name: "orders", Writable: []string{"/app/data"}})
	users   = family(variants.Service{Name: "users"})
)

func main() { command.Main(gateway, orders, users) }
