package deploy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/lucid-project/base-images/variants"
)

const overlayHeader = `# Made by lucidbase from the services and their images' digests: make it anew, do not edit it.
# It lies over your own file: docker compose -f compose.yaml -f compose.lucid.yaml up
`

const composeHeader = `# Made by lucidbase from the services and their images' digests: make it anew, do not edit it.
`

// Overlay returns a Compose file that lies over one that has services of the same
// names: what it says wins, and ports, volumes and the like stay as they are there. A
// comment names the directories that are to have a volume there: Docker gives each one
// that a new container does not have.
func Overlay(services []variants.Service, images References) ([]byte, error) {
	all, err := members(services, images)
	if err != nil {
		return nil, err
	}
	header := overlayHeader
	for _, m := range all {
		var dirs []string
		for _, v := range m.volumes {
			dirs = append(dirs, v.dir)
		}
		if len(dirs) > 0 {
			header += "# What " + m.Name + " writes to " + strings.Join(dirs, ", ") + " is kept where that file has a volume for it.\n"
		}
	}
	p := types.Project{Services: types.Services{}}
	for _, m := range all {
		p.Services[m.Name] = m.overlay()
	}
	return composeFile(header, p)
}

// Compose returns a whole Compose file. A port is published under its own number if
// no service before, by name, has it, and else under a free one. A service waits for
// those whose name its environment has as a host, such as http://auth:8000, until they
// are healthy; among services that need each other none waits.
func Compose(services []variants.Service, images References) ([]byte, error) {
	all, err := members(services, images)
	if err != nil {
		return nil, err
	}
	p := types.Project{Services: types.Services{}, Volumes: types.Volumes{}}
	needs := dependencies(all)
	published := map[int]bool{}
	for _, m := range all {
		s := m.overlay()
		for _, port := range m.ports() {
			config := types.ServicePortConfig{Target: uint32(port)}
			if !published[port] {
				config.Published = strconv.Itoa(port)
			}
			published[port] = true
			s.Ports = append(s.Ports, config)
		}
		for _, v := range m.volumes {
			name := m.Name + "_" + v.name // which has no underscore: no two services have the same
			p.Volumes[name] = types.VolumeConfig{}
			s.Volumes = append(s.Volumes, types.ServiceVolumeConfig{Type: types.VolumeTypeVolume, Source: name, Target: literal(v.dir)})
		}
		s.DependsOn = types.DependsOnConfig{}
		for _, other := range needs[m.Name] {
			s.DependsOn[other.Name] = types.ServiceDependency{Condition: other.ready(), Required: true}
		}
		p.Services[m.Name] = s
	}
	return composeFile(composeHeader, p)
}

// composeFile formats a project. The program of the health checks, which is the same
// in all services, is said once.
func composeFile(header string, p types.Project) ([]byte, error) {
	data, err := p.MarshalYAML()
	if err != nil {
		return nil, err
	}
	doc, err := parse(data)
	if err != nil {
		return nil, err
	}
	for _, name := range p.ServiceNames() {
		if h := p.Services[name].HealthCheck; h != nil {
			if i := slices.IndexFunc(h.Test, func(word string) bool { return strings.Contains(word, "\n") }); i >= 0 {
				share(doc, "x-lucid-health", "health", h.Test[i])
				break
			}
		}
	}
	data, err = format(doc)
	return append([]byte(header), data...), err
}

// overlay is what holds for a service wherever it runs.
func (m member) overlay() types.ServiceConfig {
	return types.ServiceConfig{
		ContainerSpec: types.ContainerSpec{
			Image:       m.image,
			PullPolicy:  types.PullPolicyIfNotPresent, // "missing", as older Compose files say
			User:        m.config.User,
			ReadOnly:    true,
			CapDrop:     []string{"ALL"},
			SecurityOpt: []string{"no-new-privileges:true"},
			Tmpfs:       types.StringList{"/tmp"},
		},
		WorkloadSpec: types.WorkloadSpec{HealthCheck: m.healthCheck()},
	}
}

// healthCheck is the image's own, in place of one that a file below may have.
func (m member) healthCheck() *types.HealthCheckConfig {
	h := m.config.Healthcheck
	if h == nil {
		return nil
	}
	check := &types.HealthCheckConfig{
		Interval: duration(h.Interval), Timeout: duration(h.Timeout), StartPeriod: duration(h.StartPeriod),
	}
	for _, word := range h.Test {
		check.Test = append(check.Test, literal(word))
	}
	if h.Retries != 0 {
		retries := uint64(h.Retries)
		check.Retries = &retries
	}
	return check
}

func duration(d time.Duration) *types.Duration {
	if d == 0 {
		return nil
	}
	return (*types.Duration)(&d)
}

// literal keeps Compose from taking a dollar sign for a variable.
func literal(text string) string { return strings.ReplaceAll(text, "$", "$$") }

// ready is when those that need the service may start.
func (m member) ready() string {
	if m.config.Healthcheck == nil {
		return types.ServiceConditionStarted
	}
	return types.ServiceConditionHealthy
}
