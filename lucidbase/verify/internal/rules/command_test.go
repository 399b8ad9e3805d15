package rules_test

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestCommand(t *testing.T) {
	broken := []string{"config:Cmd"}
	entrypoint := func(argv ...string) func(*v1.Config) { return func(c *v1.Config) { c.Entrypoint = argv } }
	testRule(t, "command", []breach{
		{name: "clean"},
		{name: "none", config: cmd(), want: broken},
		{name: "shell form", config: cmd("/bin/sh", "-c", "python /app/main.py"), want: broken},
		{name: "a shell", config: cmd("bash"), want: broken},
		{name: "a shell behind a wrapper", layers: one(program("/usr/bin/tini", tinyELF(0x3e))), config: cmd("tini", "-g", "--", "sh", "-c", "x"), want: broken},
		{name: "a shell by env", layers: one(program("/usr/bin/env", tinyELF(0x3e))), config: cmd("/usr/bin/env", "A=b", "/bin/ash"), want: broken},
		{name: "not there", config: entrypoint("/app/missing"), want: []string{"config:Entrypoint"}},
		{name: "not on PATH", config: cmd("uvicorn"), want: broken},
		{name: "not there behind an init", layers: one(program("/usr/bin/tini", tinyELF(0x3e))), config: func(c *v1.Config) {
			c.Entrypoint, c.Cmd = []string{"/usr/bin/tini", "--"}, []string{"gunicorn", "main:app"}
		}, want: []string{"config:Entrypoint"}},
		{name: "not there behind options", layers: one(program("/usr/bin/tini", tinyELF(0x3e))), config: cmd("tini", "-g", "-p", "SIGTERM", "--", "gunicorn"), want: broken},
		{name: "near: a value of a wrapper's option", layers: one(program("/usr/bin/timeout", tinyELF(0x3e))), config: cmd("timeout", "-s", "KILL", "5", "python")},
		{name: "off PATH", layers: one(program("/app/uvicorn", "x")), config: cmd("uvicorn"), want: broken},
		{name: "not executable", layers: one(file("/app/run", "x")), config: cmd("/app/run"), want: broken},
		{name: "for its owner alone", layers: one(program("/app/run", tinyELF(0x3e)).WithMode(0o700)), config: cmd("/app/run"), want: broken},
		{name: "not for its owner", layers: one(program("/app/run", tinyELF(0x3e)).WithMode(0o055).OwnedBy(65532, 65532)), config: cmd("/app/run"), want: broken},
		{name: "behind a closed directory", layers: one(dir("/srv").WithMode(0o700), program("/srv/run", "x")), config: cmd("/srv/run"), want: broken},
		{name: "a directory", config: cmd("/app"), want: broken},
		{name: "a script of nothing", layers: one(program("/app/run", "#!/opt/gone/bin/python\n")), config: cmd("/app/run"), want: broken},
		{name: "a script of a shell that is there", layers: one(program("/app/run", "#!/usr/bin/sh\n"), program("/usr/bin/sh", "s")), config: cmd("/app/run"), want: broken},
		{name: "a script by env, which is not there", layers: one(program("/app/run", "#!/usr/bin/env python\n")), config: cmd("/app/run"), want: broken},
		{name: "a link to a shell", layers: one(link("/app/run", "/usr/bin/dash"), program("/usr/bin/dash", "d")), config: cmd("/app/run"), want: broken},

		{name: "no format", layers: one(program("/app/run", "echo hello\n")), config: cmd("/app/run"), want: broken},
		{name: "nothing in it", layers: one(program("/app/run", "")), config: cmd("/app/run"), want: broken},
		{name: "lines of Windows", layers: one(program("/app/run", "#!/opt/venv/bin/python\r\n")), config: cmd("/app/run"), want: broken},
		{name: "a relative interpreter", layers: one(program("/app/run", "#!python\n")), config: cmd("/app/run"), want: broken},

		{name: "near: options of an interpreter", layers: one(program("/app/run", "#! /opt/venv/bin/python -u\n")), config: cmd("/app/run")},
		{name: "near: relative to the working directory", layers: one(program("/app/run", tinyELF(0x3e))), config: cmd("./run")},
		{name: "near: the first on PATH may not be run", layers: one(file("/opt/venv/bin/run", "x"), program("/usr/bin/run", tinyELF(0x3e))), config: cmd("run")},
		{name: "near: executable for the group", layers: one(program("/app/run", tinyELF(0x3e)).WithMode(0o710).OwnedBy(0, 65532)), config: cmd("/app/run")},
		{name: "near: an argument that is called so", config: cmd("python", "/app/main.py", "sh", "-c")},
		{name: "near: code", config: cmd("python", "-c", "import os")},
		{name: "near: the entrypoint takes the command", layers: one(program("/app/run", tinyELF(0x3e))), config: func(c *v1.Config) { c.Entrypoint, c.Cmd = []string{"/app/run"}, []string{"serve"} }},
		{name: "near: BusyBox' env", layers: one(program("/usr/bin/busybox", tinyELF(0x3e)), link("/usr/bin/env", "busybox")), config: cmd("env", "A=b", "python", "/app/main.py")},
		{name: "near: a wrapper", layers: one(program("/usr/bin/tini", tinyELF(0x3e))), config: cmd("tini", "-s", "--", "python", "/app/main.py")},
		{name: "near: a console script", layers: one(program("/opt/venv/bin/serve", "#!/opt/venv/bin/python\n")), config: cmd("serve")},
	})
}
