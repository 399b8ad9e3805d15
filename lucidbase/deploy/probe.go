package deploy

import (
	"cmp"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// dockerRetries is Docker's default, which the health check of a service has as well.
const dockerRetries = 3

// probe sets the probes that do what the health check does. Kubernetes asks a port
// itself; nothing has to be started in the container for it.
func (m member) probe(c *corev1.Container) {
	h := m.config.Healthcheck
	if h == nil {
		return
	}
	retries := int32(cmp.Or(h.Retries, dockerRetries))
	probe := func() *corev1.Probe {
		return &corev1.Probe{
			ProbeHandler:  m.handler(),
			PeriodSeconds: seconds(h.Interval), TimeoutSeconds: seconds(h.Timeout), FailureThreshold: retries,
		}
	}
	c.ReadinessProbe, c.LivenessProbe = probe(), probe()
	if h.StartPeriod > 0 {
		// The others wait for this one, which asks every second.
		c.StartupProbe = probe()
		c.StartupProbe.PeriodSeconds = 1
		c.StartupProbe.FailureThreshold = seconds(h.StartPeriod) + retries
	}
}

func (m member) handler() corev1.ProbeHandler {
	port := intstr.FromInt(m.Port)
	switch {
	case m.Health.Path != "":
		return corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: m.Health.Path, Port: port}}
	case m.Health.TCP:
		return corev1.ProbeHandler{TCPSocket: &corev1.TCPSocketAction{Port: port}}
	}
	return corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: m.Health.Command}}
}

// seconds are whole ones, rounded up; zero means the default of Kubernetes.
func seconds(d time.Duration) int32 { return int32((d + time.Second - 1) / time.Second) }
