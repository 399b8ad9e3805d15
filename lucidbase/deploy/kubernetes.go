package deploy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/lucid-project/base-images/variants"
)

const kubernetesHeader = `# Made by lucidbase from the services and their images' digests: make it anew, do not edit it.
`

// Kubernetes returns a Deployment for each service, with probes, a Service if it has
// ports, and a PersistentVolumeClaim of 1Gi for each directory that it writes to.
// Dots and underscores in a name become hyphens.
func Kubernetes(services []variants.Service, images References) ([]byte, error) {
	all, err := members(services, images)
	errs := []error{err}
	named := map[string]string{}
	for _, m := range all {
		name := m.object()
		for _, wrong := range validation.IsDNS1035Label(name) {
			errs = append(errs, fmt.Errorf("%s: Name: as the name of a Kubernetes Service: %s", m.Name, wrong))
		}
		for _, v := range m.volumes {
			for _, wrong := range validation.IsDNS1123Label(v.name) {
				errs = append(errs, fmt.Errorf("%s: Writable: %s: as the name of a Kubernetes volume: %s", m.Name, v.dir, wrong))
			}
		}
		if other, ok := named[name]; ok {
			errs = append(errs, fmt.Errorf("%s: %s has the same name in Kubernetes, %s", m.Name, other, name))
		}
		named[name] = m.Name
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	out := bytes.NewBufferString(kubernetesHeader)
	for _, m := range all {
		objects, err := m.objects()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		for _, o := range objects {
			data, err := sigsyaml.Marshal(o)
			if err != nil {
				return nil, err
			}
			doc, err := parse(data)
			if err != nil {
				return nil, err
			}
			if data, err = format(doc); err != nil {
				return nil, err
			}
			out.WriteString("---\n")
			out.Write(data)
		}
	}
	return out.Bytes(), nil
}

var hyphens = strings.NewReplacer(".", "-", "_", "-")

// object is the service's name in Kubernetes.
func (m member) object() string { return hyphens.Replace(m.Name) }
