package cluster

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/lucid-project/base-images/internal/certs"
	"github.com/lucid-project/base-images/internal/kubetest"
)

// The objects have no field that Kubernetes does not know, and fit together.
func TestObjects(t *testing.T) {
	data, err := os.ReadFile("buildkitd.yaml")
	require.NoError(t, err)
	objects := bytes.Split(data, []byte("\n---\n"))
	require.Len(t, objects, 2)
	for _, object := range objects {
		kubetest.Validate(t, object)
	}
	var service corev1.Service
	require.NoError(t, yaml.UnmarshalStrict(objects[0], &service))
	var set appsv1.StatefulSet
	require.NoError(t, yaml.UnmarshalStrict(objects[1], &set))
	require.Error(t, yaml.UnmarshalStrict(append(objects[1], "\nspecs: {}\n"...), &appsv1.StatefulSet{}), "nothing is checked")

	require.Equal(t, service.Name, set.Spec.ServiceName)
	require.Equal(t, corev1.ClusterIPNone, service.Spec.ClusterIP)
	pod := set.Spec.Template
	require.Equal(t, pod.Labels, set.Spec.Selector.MatchLabels)
	require.Equal(t, pod.Labels, service.Spec.Selector)
	require.Len(t, pod.Spec.Containers, 1)
	container := pod.Spec.Containers[0]
	require.Equal(t, service.Spec.Ports[0].Port, container.Ports[0].ContainerPort)
	require.True(t, *container.SecurityContext.RunAsNonRoot)
	volumes := map[string]bool{}
	for _, v := range pod.Spec.Volumes {
		volumes[v.Name] = true
	}
	for _, c := range set.Spec.VolumeClaimTemplates {
		volumes[c.Name] = true
	}
	for _, m := range container.VolumeMounts {
		require.True(t, volumes[m.Name], m.Name)
	}
	version, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/moby/buildkit").Output()
	require.NoError(t, err)
	require.Equal(t, "moby/buildkit:"+string(bytes.TrimSpace(version))+"-rootless", container.Image)
}

// The script makes what both sides read.
func TestCerts(t *testing.T) {
	script, err := filepath.Abs("certs.sh")
	require.NoError(t, err)
	cmd := exec.Command(script)
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, side := range []string{"nodes", "client"} {
		config, err := certs.Read(t.Context(), filepath.Join(cmd.Dir, side))
		require.NoError(t, err)
		require.NotNil(t, config.RootCAs)
		require.Len(t, config.Certificates, 1)
	}
	require.NoFileExists(t, filepath.Join(cmd.Dir, "authority.key"))
}
