package migrate

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// address matches what a check asks of the container itself. Groups: scheme, port, path.
var address = regexp.MustCompile(`(https?)://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]|\$\(hostname\)|\$\{?HOSTNAME\}?)(?::(\{[^}]*\}|[^/\s"'` + "`" + `,)]+)?)?(?:["']\s*\+[^+]*\+\s*f?["'])?(/[^\s"'` + "`" + `,)]*)?`)

// health turns a health check into the service's own, which needs no shell.
func (m *migration) health(im *image, s *service, root string) {
	if im.health == nil || im.health.Health == nil || len(im.health.Health.Test) == 0 || im.health.Health.Test[0] == "NONE" {
		return
	}
	at, h := line(im.health.Location()), im.health.Health
	text, _, _ := constants(strings.Join(h.Test[1:], " "), im.env)
	asked := address.FindStringSubmatch(text)
	switch {
	case asked != nil && asked[1] == "http":
		s.health.path = "/"
		if asked[3] != "" {
			s.health.path = asked[3]
		}
		m.asked(s, asked[2], at)
		m.done(at, "HEALTHCHECK by "+how(h.Test), "turned into health: {path: "+s.health.path+"}, which needs no shell and follows PORT")
	case asked != nil:
		s.health.tcp = true
		m.left(at, "HEALTHCHECK over HTTPS", "health asks for a connection alone: tcp")
	case strings.Contains(text, "socket") || strings.Contains(text, "nc -z") || strings.Contains(text, "/dev/tcp/"):
		s.health.tcp = true
		m.done(at, "HEALTHCHECK by "+how(h.Test), "turned into health: {tcp: true}, which needs no shell and follows PORT")
	default:
		m.checkedBy(im, s, h.Test, root, at)
	}
	if (s.health.tcp || s.health.path != "") && s.port == 0 {
		s.health.tcp, s.health.path = false, ""
		m.left(at, "HEALTHCHECK of a service without a port", "set port, and health again")
	}
	if !s.health.tcp && s.health.path == "" && s.health.command == nil {
		return
	}
	s.health.interval, s.health.timeout, s.health.startPeriod, s.health.retries = h.Interval, h.Timeout, h.StartPeriod, h.Retries
	for _, d := range []*time.Duration{&s.health.interval, &s.health.timeout, &s.health.startPeriod} {
		if *d < time.Millisecond {
			*d = 0
		}
	}
}

// how names the program that checks.
func how(test []string) string {
	if test[0] == "CMD-SHELL" {
		w := words(strings.Join(test[1:], " "))
		if len(w) > 0 {
			return "CMD-SHELL with " + path.Base(w[0])
		}
		return "CMD-SHELL"
	}
	return path.Base(test[1])
}

// asked makes the port that a check asks the service's own.
func (m *migration) asked(s *service, text string, at int) {
	number, err := strconv.Atoi(text)
	switch {
	case err != nil || number < 1 || number > 65535 || number == s.port:
	case s.port == 0:
		s.port = number
	case slices.Contains(s.ports, number):
		s.ports[slices.Index(s.ports, number)], s.port = s.port, number
	default:
		m.left(at, "HEALTHCHECK of port "+text+", which is not exposed", "the check asks "+strconv.Itoa(s.port)+": say which port it is")
	}
}

// checkedBy keeps a check that is a program of the service.
func (m *migration) checkedBy(im *image, s *service, test []string, root string, at int) {
	w := slices.Clone(test[1:])
	if test[0] == "CMD-SHELL" {
		text, _, _ := strings.Cut(strings.Join(w, " "), "||")
		w = m.plain(im, text, at, "HEALTHCHECK")
	}
	if len(w) == 0 {
		return
	}
	name := path.Base(w[0])
	if interpreters.MatchString(w[0]) {
		name = "python"
	}
	if name != "python" && name != "celery" {
		m.left(at, "HEALTHCHECK by "+name+", which is not in the image", "set health: path, tcp, or a command in Python")
		return
	}
	w[0] = name
	for i := range w[1:] {
		w[i+1] = im.relocated(w[i+1], root)
	}
	s.health.command = w
}
