// Command worker builds a Celery worker: "go run . build".
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

func worker() (variants.Service, error) {
	locked, err := lock.Read(files, "requirements.lock.txt")
	return variants.Service{
		Name:    "worker",
		Base:    variants.Python{},
		Lock:    locked,
		Source:  []variants.Source{{From: variants.FS(files), To: "/app", Include: []string{"src"}}},
		Command: []string{"celery", "-A", "src.tasks", "worker", "--loglevel", "info"},
		Env:     map[string]string{"REDIS_URL": "redis://redis:6379/0"},
	}, err
}

func main() {
	service, err := worker()
	if err != nil {
		log.Fatal(err)
	}
	command.Main(service)
}
