package verify

import (
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// user, cmd and env set one field of the config.
func user(s string) func(*v1.Config) { return func(c *v1.Config) { c.User = s } }

func cmd(argv ...string) func(*v1.Config) { return func(c *v1.Config) { c.Cmd = argv } }

func env(kv string) func(*v1.Config) { return func(c *v1.Config) { c.Env = append(c.Env, kv) } }

func TestUser(t *testing.T) {
	broken := []string{"config:User"}
	passwd := func(gid string) [][]tarEntry {
		return one(file("/etc/passwd", "root:x:0:0::/root:/bin/false\napp:x:1000:"+gid+"::/home/app:/bin/false\n"))
	}
	testRule(t, "user", []breach{
		{name: "clean"},
		{name: "none", config: user(""), want: broken},
		{name: "root", config: user("0:1"), want: broken},
		{name: "root in other digits", config: user("000:1"), want: broken},
		{name: "root's group", config: user("65532:0"), want: broken},
		{name: "both", config: user("0:0"), want: []string{"config:User", "config:User"}},
		{name: "a name", config: user("nonroot"), want: broken},
		{name: "a name that nobody has", config: user("ghost:5"), want: broken},
		{name: "root by name", config: user("root"), want: broken},
		{name: "a group by name", config: user("65532:nonroot"), want: broken},
		{name: "no group, none known", config: user("4711"), want: broken},
		{name: "no group, root's by /etc/passwd", config: user("1000"), layers: passwd("0"), want: broken},
		{name: "signs", config: user("-1:5"), want: broken},
		{name: "too large", config: user("4294967296:5"), want: broken},
		{name: "root's group by /etc/group", layers: one(file("/etc/group", "root:x:0:backup,nonroot\nnonroot:x:65532:\n")), want: []string{"/etc/group"}},

		{name: "near: no group, one of /etc/passwd", config: user("1000"), layers: passwd("1000")},
		{name: "near: not in /etc/passwd", config: user("4711:4711")},
		{name: "near: a member of another group", layers: one(file("/etc/group", "root:x:0:\nwheel:x:10:nonroot\n"))},
	})
}

func TestOwner(t *testing.T) {
	const id = 65532
	testRule(t, "owner", []breach{
		{name: "clean"},
		{name: "a file", layers: one(file("/opt/x/a", "x").owner(id, 0)), want: []string{"/opt/x/a"}},
		{name: "a tree", layers: one(dir("/opt/x").owner(id, id), file("/opt/x/a", "x").owner(id, id), dir("/opt/x/d").owner(id, id), file("/opt/y", "x")), want: []string{"/opt/x"}},
		{name: "by group", layers: one(file("/etc/x", "x").owner(0, id).mode(0o664)), want: []string{"/etc/x"}},
		{name: "a system directory is no home", layers: one(file("/usr/lib/x", "x").owner(id, id)), config: func(c *v1.Config) { c.WorkingDir = "/usr/lib" }, want: []string{"/usr/lib/x"}},
		{name: "a prefix is no parent", layers: one(file("/application/x", "x").owner(id, id)), want: []string{"/application/x"}},

		{name: "by a hard link's own owner", layers: one(file("/etc/x", "x"), hardlink("/etc/y", "/etc/x").owner(id, id)), want: []string{"/etc/y"}},
		{name: "near: its places", layers: one(file("/app/data", "x").owner(id, id), file("/tmp/x", "x").owner(id, id), file("/home/nonroot/x", "x").owner(id, id))},
		{name: "near: a volume", layers: one(dir("/data").owner(id, id)), config: func(c *v1.Config) { c.Volumes = map[string]struct{}{"/data": {}} }},
		{name: "near: its group may read", layers: one(file("/etc/x", "x").owner(0, id).mode(0o640))},
		{name: "near: somebody else's", layers: one(file("/etc/x", "x").owner(1000, 1000))},
		{name: "near: given back", layers: [][]tarEntry{{file("/opt/a", "x").owner(id, id)}, {file("/opt/a", "x")}}},
	})
}

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
		{name: "off PATH", layers: one(program("/app/uvicorn", "x")), config: cmd("uvicorn"), want: broken},
		{name: "not executable", layers: one(file("/app/run", "x")), config: cmd("/app/run"), want: broken},
		{name: "for its owner alone", layers: one(program("/app/run", tinyELF(0x3e)).mode(0o700)), config: cmd("/app/run"), want: broken},
		{name: "not for its owner", layers: one(program("/app/run", tinyELF(0x3e)).mode(0o055).owner(65532, 65532)), config: cmd("/app/run"), want: broken},
		{name: "behind a closed directory", layers: one(dir("/srv").mode(0o700), program("/srv/run", "x")), config: cmd("/srv/run"), want: broken},
		{name: "a directory", config: cmd("/app"), want: broken},
		{name: "a script of nothing", layers: one(program("/app/run", "#!/opt/gone/bin/python\n")), config: cmd("/app/run"), want: broken},
		{name: "a script of a shell that is there", layers: one(program("/app/run", "#!/usr/bin/sh\n"), program("/usr/bin/sh", "s")), config: cmd("/app/run"), want: broken},
		{name: "a script by env, which is not there", layers: one(program("/app/run", "#!/usr/bin/env python\n")), config: cmd("/app/run"), want: broken},
		{name: "a link to a shell", layers: one(link("/app/run", "/usr/bin/dash"), program("/usr/bin/dash", "d")), config: cmd("/app/run"), want: broken},
		{name: "Python's script missing", config: cmd("python", "-u", "src/main.py"), want: broken},
		{name: "Python's script unreadable", layers: one(file("/app/x.py", "x").mode(0o600)), config: cmd("python", "x.py"), want: broken},
		{name: "Python's module missing", config: cmd("python", "-um", "src.main"), want: broken},

		{name: "no format", layers: one(program("/app/run", "echo hello\n")), config: cmd("/app/run"), want: broken},
		{name: "nothing in it", layers: one(program("/app/run", "")), config: cmd("/app/run"), want: broken},
		{name: "lines of Windows", layers: one(program("/app/run", "#!/opt/venv/bin/python\r\n")), config: cmd("/app/run"), want: broken},
		{name: "a relative interpreter", layers: one(program("/app/run", "#!python\n")), config: cmd("/app/run"), want: broken},
		{name: "Python's directory", layers: one(file("/app/x/y.py", "")), config: cmd("python", "/app/x"), want: broken},
		{name: "Python's module missing in its package", layers: one(file("/app/src/__init__.py", "")), config: cmd("python", "-m", "src.main"), want: broken},
		{name: "Python's package cannot be run", layers: one(file("/app/src/__init__.py", "")), config: cmd("python", "-m", "src"), want: broken},

		{name: "near: Python's directory", layers: one(file("/app/x/__main__.py", "")), config: cmd("python", "/app/x")},
		{name: "near: a package that can be run", layers: one(file("/app/src/__init__.py", ""), file("/app/src/__main__.py", "")), config: cmd("python", "-m", "src")},
		{name: "near: an extension module", layers: one(file("/app/src/__init__.py", ""), file("/app/src/main.cpython-311-x86_64-linux-gnu.so", "")), config: cmd("python", "-m", "src.main")},
		{name: "near: options of an interpreter", layers: one(program("/app/run", "#! /opt/venv/bin/python -u\n")), config: cmd("/app/run")},
		{name: "near: relative to the working directory", layers: one(program("/app/run", tinyELF(0x3e))), config: cmd("./run")},
		{name: "near: the first on PATH may not be run", layers: one(file("/opt/venv/bin/run", "x"), program("/usr/bin/run", tinyELF(0x3e))), config: cmd("run")},
		{name: "near: executable for the group", layers: one(program("/app/run", tinyELF(0x3e)).mode(0o710).owner(0, 65532)), config: cmd("/app/run")},
		{name: "near: an argument that is called so", config: cmd("python", "/app/main.py", "sh", "-c")},
		{name: "near: code", config: cmd("python", "-c", "import os")},
		{name: "near: the entrypoint takes the command", layers: one(program("/app/run", tinyELF(0x3e))), config: func(c *v1.Config) { c.Entrypoint, c.Cmd = []string{"/app/run"}, []string{"serve"} }},
		{name: "near: BusyBox' env", layers: one(program("/usr/bin/busybox", tinyELF(0x3e)), link("/usr/bin/env", "busybox")), config: cmd("env", "A=b", "python", "/app/main.py")},
		{name: "near: a wrapper", layers: one(program("/usr/bin/tini", tinyELF(0x3e))), config: cmd("tini", "-s", "--", "python", "/app/main.py")},
		{name: "near: a console script", layers: one(program("/opt/venv/bin/serve", "#!/opt/venv/bin/python\n")), config: cmd("serve")},
		{name: "near: modules", layers: one(file("/app/src/main.py", "x")), config: cmd("python", "-m", "src.main")},
		{name: "near: an installed module", config: cmd("python", "-X", "dev", "-m", "tiny")},
		{name: "near: a script in a volume", config: func(c *v1.Config) {
			c.Volumes, c.Cmd = map[string]struct{}{"/code": {}}, []string{"python", "/code/x.py"}
		}},
	})
}

func TestHealthcheck(t *testing.T) {
	broken := []string{"config:Healthcheck"}
	test := func(argv ...string) func(*v1.Config) {
		return func(c *v1.Config) { c.Healthcheck = &v1.HealthConfig{Test: argv} }
	}
	testRule(t, "healthcheck", []breach{
		{name: "clean"},
		{name: "shell form", config: test("CMD-SHELL", "curl -f localhost"), want: broken},
		{name: "a shell", config: test("CMD", "/bin/sh", "-c", "true"), want: broken},
		{name: "curl is not there", config: test("CMD", "curl", "-f", "localhost"), want: broken},
		{name: "a missing script", config: test("CMD", "python", "/app/health.py"), want: broken},
		{name: "nothing", config: test("CMD"), want: broken},
		{name: "no kind", config: test("python", "/app/main.py"), want: broken},
		{name: "near: none", config: test("NONE")},
		{name: "near: the base's", config: test()},
		{name: "near: Python", config: test("CMD", "python", "-c", "import urllib.request")},
	})
}

func TestEnvPath(t *testing.T) {
	testRule(t, "env-path", []breach{
		{name: "clean"},
		{name: "a missing file", config: env("SSL_CERT_FILE=/etc/gone.pem"), want: []string{"config:Env.SSL_CERT_FILE"}},
		{name: "a directory for a file", config: env("CURL_CA_BUNDLE=/etc/ssl/certs"), want: []string{"config:Env.CURL_CA_BUNDLE"}},
		{name: "a dangling link", layers: one(link("/etc/ca.pem", "gone")), config: env("AWS_CA_BUNDLE=/etc/ca.pem"), want: []string{"config:Env.AWS_CA_BUNDLE"}},
		{name: "unreadable", layers: one(file("/etc/ca.pem", "x").mode(0o600)), config: env("NODE_EXTRA_CA_CERTS=/etc/ca.pem"), want: []string{"config:Env.NODE_EXTRA_CA_CERTS"}},
		{name: "missing directories", config: env("PYTHONPATH=/app:/srv/lib"), want: []string{"config:Env.PYTHONPATH"}},
		{name: "a missing venv", config: env("VIRTUAL_ENV=/venv"), want: []string{"config:Env.VIRTUAL_ENV"}},
		{name: "a preloaded library", config: env("LD_PRELOAD=/usr/lib/libjemalloc.so.2"), want: []string{"config:Env.LD_PRELOAD"}},
		{name: "no PATH at all", config: func(c *v1.Config) { c.Env = []string{"PATH=/nowhere:/gone"} }, want: []string{"config:Env.PATH"}},
		{name: "another variable", config: env("TIMEZONE_FILE=/usr/share/tz.json"), want: []string{"config:Env.TIMEZONE_FILE"}},

		{name: "near: mounted", config: env("SSL_CERT_FILE=/run/secrets/ca.pem")},
		{name: "near: in a volume", config: func(c *v1.Config) {
			c.Volumes = map[string]struct{}{"/opt/data": {}}
			c.Env = append(c.Env, "RULES_FILE=/opt/data/rules.json")
		}},
		{name: "near: made at run time", config: env("LOG_FILE=/app/log.txt")},
		{name: "near: one of PATH is missing", config: env("PATH=/gone:/usr/bin")},
		{name: "near: through a link", layers: one(link("/etc/pki", "ssl")), config: env("SSL_CERT_DIR=/etc/pki/certs:/etc/ssl/certs")},
		{name: "near: empty", config: env("SSL_CERT_FILE=")},
		{name: "near: a library by name", config: env("LD_PRELOAD=libjemalloc.so.2")},
	})
}

func TestWorkdir(t *testing.T) {
	broken := []string{"config:WorkingDir"}
	dirOf := func(s string) func(*v1.Config) { return func(c *v1.Config) { c.WorkingDir = s } }
	testRule(t, "workdir", []breach{
		{name: "clean"},
		{name: "missing", config: dirOf("/srv/gone"), want: broken},
		{name: "relative", config: dirOf("app"), want: broken},
		{name: "a file", config: dirOf("/app/main.py"), want: broken},
		{name: "closed", layers: one(dir("/srv").mode(0o750)), config: dirOf("/srv"), want: broken},
		{name: "below a closed one", layers: one(dir("/root").mode(0o700), dir("/root/app")), config: dirOf("/root/app"), want: broken},
		{name: "deleted", layers: one(whiteout("/app")), want: broken},
		{name: "near: the root", config: dirOf("")},
		{name: "near: a link", layers: one(link("/srv", "app")), config: dirOf("/srv")},
		{name: "near: its own", layers: one(dir("/srv").mode(0o700).owner(65532, 65532)), config: dirOf("/srv/")},
		{name: "near: without an entry", layers: one(file("/srv/a/b", "x")), config: dirOf("/srv/a")},
	})
}
