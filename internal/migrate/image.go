package migrate

import (
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/instructions"

	"github.com/lucid-project/base-images/lucidbase/verify"
)

// image is what a stage's instructions make.
type image struct {
	// stage is its number.
	stage int
	// base is the image outside that it stands on, by the FROM on a line; python is its
	// version of Python, if it has any.
	base       string
	line       int
	python     string
	distroless bool

	workdir         string
	args            map[string]string
	env, labels     map[string]string
	envAt           map[string]int
	entrypoint, cmd command
	// ownCmd says that cmd is not that of the image below.
	ownCmd bool
	health *instructions.HealthCheckCommand
	ports  []port
	files  []placed
	// lists are files of requirements in the context that are installed.
	lists []string
	// exported are lists that a command of a stage writes.
	exported []string
	// system are Debian's libraries that are installed.
	system []string
	// packages says that something is installed, venvs where.
	packages bool
	venvs    []string
	// writable are directories that the service may write, writableAt the lines that say so.
	writable   []string
	writableAt map[string]int
	// mounts are those of the RUN that is looked at.
	mounts []*instructions.Mount
}

// command is an ENTRYPOINT or CMD: words or, if it needs a shell, text.
type command struct {
	line  int
	words []string
	shell string
}

type port struct {
	line, number int
}

// image interprets a stage, once.
func (m *migration) image(key imageKey) *image {
	if im := m.images[key]; im != nil {
		return im
	}
	s := m.stages[key.stage]
	im := &image{workdir: "/", env: map[string]string{}, labels: map[string]string{}, envAt: map[string]int{}, writableAt: map[string]int{}}
	ref := m.expand(s.BaseName, m.global)
	if i, ok := instructions.HasStage(m.stages[:key.stage], ref); ok {
		im = m.image(imageKey{i, key.final}).clone()
	} else {
		m.stand(im, ref, line(s.Location), key.final)
	}
	im.args, im.stage, im.ownCmd = map[string]string{}, key.stage, false
	m.images[key] = im
	for _, c := range s.Commands {
		m.interpret(im, c, key.final)
	}
	return im
}

func (im *image) clone() *image {
	c := *im
	c.env, c.labels, c.envAt, c.writableAt = maps.Clone(im.env), maps.Clone(im.labels), maps.Clone(im.envAt), maps.Clone(im.writableAt)
	c.files, c.ports, c.lists = slices.Clone(im.files), slices.Clone(im.ports), slices.Clone(im.lists)
	c.exported = slices.Clone(im.exported)
	c.venvs, c.writable, c.system = slices.Clone(im.venvs), slices.Clone(im.writable), slices.Clone(im.system)
	return &c
}

// written notes a directory that the service may write.
func (im *image) written(dir string, at int) {
	im.writable, im.writableAt[dir] = append(im.writable, dir), at
}

// environment is what variables are expanded by.
func (im *image) environment() []string {
	var all []string
	for k, v := range im.args {
		if _, ok := im.env[k]; !ok {
			all = append(all, k+"="+v)
		}
	}
	for k, v := range im.env {
		all = append(all, k+"="+v)
	}
	return all
}

// abs is a path in the image.
func (im *image) abs(p string) string {
	if path.IsAbs(p) {
		return path.Clean(p)
	}
	return path.Join(im.workdir, p)
}

func (m *migration) interpret(im *image, c instructions.Command, final bool) {
	at := line(c.Location())
	if e, ok := c.(instructions.SupportsSingleWordExpansion); ok {
		env := im.environment()
		_ = e.Expand(func(word string) (string, error) { return m.expand(word, env), nil }) // expand never fails
	}
	switch c := c.(type) {
	case *instructions.ArgCommand:
		m.arg(im, c, at)
	case *instructions.EnvCommand:
		for _, kv := range c.Env {
			m.setting(im, kv.Key, kv.Value, at, final)
		}
	case *instructions.LabelCommand:
		for _, kv := range c.Labels {
			im.labels[kv.Key] = kv.Value
		}
	case *instructions.MaintainerCommand:
		im.labels["org.opencontainers.image.authors"] = c.Maintainer
	case *instructions.WorkdirCommand:
		im.workdir = im.abs(c.Path)
	case *instructions.CopyCommand:
		m.copy(im, c, at, final)
	case *instructions.AddCommand:
		m.add(im, c, at, final)
	case *instructions.RunCommand:
		m.run(im, c, at, final)
	case *instructions.CmdCommand:
		im.cmd, im.ownCmd = commandOf(c.ShellDependantCmdLine, at), true
	case *instructions.EntrypointCommand:
		im.entrypoint = commandOf(c.ShellDependantCmdLine, at)
		if !im.ownCmd {
			im.cmd = command{} // as BuildKit does
		}
	case *instructions.HealthCheckCommand:
		im.health = c
	case *instructions.ExposeCommand:
		m.expose(im, c, at)
	case *instructions.UserCommand:
		if final {
			m.user(c.User, at)
		}
	case *instructions.VolumeCommand:
		for _, v := range c.Volumes {
			im.written(im.abs(v), at)
		}
	case *instructions.StopSignalCommand:
		if final && c.Signal != "SIGTERM" && c.Signal != "15" {
			m.left(at, "STOPSIGNAL "+c.Signal, "an image is stopped with SIGTERM: handle that, or set stop_signal where it runs")
		}
	case *instructions.OnbuildCommand:
		if final {
			m.left(at, "ONBUILD "+c.Expression, "what stands on a service is said by that: share it in defaults")
		}
	case *instructions.ShellCommand:
		if final {
			m.done(at, "SHELL", "left out: the image has none")
		}
	}
}

func commandOf(c instructions.ShellDependantCmdLine, at int) command {
	if !c.PrependShell {
		return command{line: at, words: c.CmdLine}
	}
	return command{line: at, shell: strings.Join(c.CmdLine, " ")}
}

func (m *migration) arg(im *image, c *instructions.ArgCommand, at int) {
	for _, kv := range c.Args {
		value := kv.ValueString()
		if kv.Value == nil {
			for _, g := range m.global {
				if k, v, _ := strings.Cut(g, "="); k == kv.Key {
					value, kv.Value = v, &v
				}
			}
		}
		if verify.SecretName(kv.Key) {
			m.done(at, "ARG "+kv.Key+", a secret: an image's history keeps it", "left out; what a build needs comes from ~/.netrc or a variable of the index, and reaches no layer")
			continue
		}
		if kv.Value != nil {
			im.args[kv.Key] = value
		}
	}
}

func (m *migration) setting(im *image, name, value string, at int, final bool) {
	if verify.SecretName(name) && value != "" || verify.SecretValue(value) != "" {
		if final {
			m.done(at, "ENV "+name+", a secret: everybody who can pull the image can read it", "left out; revoke it, and set it where the container runs")
		}
		return
	}
	im.env[name], im.envAt[name] = value, at
}

func (m *migration) expose(im *image, c *instructions.ExposeCommand, at int) {
	for _, p := range c.Ports {
		p = m.expand(p, im.environment())
		number, protocol, _ := strings.Cut(p, "/")
		first, last, isRange := strings.Cut(number, "-")
		from, err := strconv.Atoi(first)
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(last)
		}
		switch {
		case err != nil || from < 1 || to < from || to > 65535:
			m.left(at, "EXPOSE "+strconv.Quote(p), "no port: set port")
		case protocol != "" && protocol != "tcp":
			m.left(at, "EXPOSE "+p, "port and ports are TCP; publish it where the container runs")
		case to-from >= 16:
			m.left(at, "EXPOSE "+p+", more than 16 ports", "list in ports what the service listens on")
		default:
			for n := from; n <= to; n++ {
				if !slices.ContainsFunc(im.ports, func(p port) bool { return p.number == n }) {
					im.ports = append(im.ports, port{at, n})
				}
			}
		}
	}
}

func (m *migration) user(user string, at int) {
	name, _, _ := strings.Cut(user, ":")
	_, err := strconv.Atoi(name)
	switch {
	case name == "65532":
	case name == "root" || name == "0":
		m.done(at, "USER "+user, "left out: the image's user is 65532; name what it writes to in writable")
	case err != nil:
		m.done(at, "USER "+user+", no number: runAsNonRoot of Kubernetes refuses it", "left out: the image's user is 65532")
	default:
		m.done(at, "USER "+user, "left out: the image's user is 65532; volumes of the old user need a chown")
	}
}
