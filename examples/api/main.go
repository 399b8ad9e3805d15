// Command api builds a FastAPI service whose list pins older versions than the base has,
// as real ones do: "go run . build", or "go run . run api --env REDIS_URL=...".
//
// Its lock was written by "lucidbase lock -r requirements.txt --base python-base".
package main

import (
	"embed"
	"log"

	"github.com/lucid-project/base-images/lucidbase/command"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

//go:embed all:src requirements.lock.*
var files embed.FS

func api() (variants.Service, error) {
	locked, err := lock.Read(files, "requirements.lock.txt")
	return variants.Service{
		Name:    "api",
		Base:    variants.Python{},
		Lock:    locked,
		Source:  []variants.Source{{From: variants.FS(files), To: "/app", Include: []string{"src"}}},
		Command: []string{"uvicorn", "src.main:app", "--host", "0.0.0.0", "--port", "8000"},
		Port:    8000,
		Health:  variants.Health{Path: "/health"},
		Env:     map[string]string{"REDIS_URL": "redis://redis:6379/0"},
	}, err
}

func main() {
	service, err := api()
	if err != nil {
		log.Fatal(err)
	}
	command.Main(service)
}
