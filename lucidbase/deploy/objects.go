package deploy

import (
	"fmt"
	"strconv"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// claimSize is what a claim asks for; a claim can be made larger later, not smaller.
var claimSize = resource.MustParse("1Gi")

const nameLabel = "app.kubernetes.io/name"

func (m member) labels() map[string]string { return map[string]string{nameLabel: m.object()} }

func (m member) objectMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Labels: m.labels()}
}

// claim is the name of a volume's claim. The names of services have no dot: no two
// have the same.
func (m member) claim(v volume) string { return m.object() + "." + v.name }

// objects returns the service's objects, the Deployment last.
func (m member) objects() ([]any, error) {
	var all []any
	for _, v := range m.volumes {
		all = append(all, &corev1.PersistentVolumeClaim{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
			ObjectMeta: m.objectMeta(m.claim(v)),
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: claimSize}},
			},
		})
	}
	if ports := m.ports(); len(ports) > 0 {
		spec := corev1.ServiceSpec{Selector: m.labels()}
		for _, port := range ports {
			spec.Ports = append(spec.Ports, corev1.ServicePort{Name: portName(port), Port: int32(port), TargetPort: intstr.FromString(portName(port))})
		}
		all = append(all, &corev1.Service{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			ObjectMeta: m.objectMeta(m.object()),
			Spec:       spec,
		})
	}
	pod, err := m.pod()
	d := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: m.objectMeta(m.object()),
		Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{MatchLabels: m.labels()},
			Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: m.labels()}, Spec: pod},
		},
	}
	if len(m.volumes) > 0 {
		// A claim is for one node: the new pod could wait for ever beside the old one.
		d.Spec.Strategy.Type = appsv1.RecreateDeploymentStrategyType
	}
	return append(all, d), err
}

func portName(port int) string { return "tcp-" + strconv.Itoa(port) }

func (m member) pod() (corev1.PodSpec, error) {
	uid, gid, err := m.user()
	if err != nil {
		return corev1.PodSpec{}, err
	}
	pod := corev1.PodSpec{
		AutomountServiceAccountToken: new(false),
		EnableServiceLinks:           new(false), // else a Service "redis" sets REDIS_PORT
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot: new(true), RunAsUser: &uid, RunAsGroup: &gid,
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		Containers: []corev1.Container{m.container()},
		Volumes:    []corev1.Volume{{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}}},
	}
	if len(m.volumes) > 0 {
		pod.SecurityContext.FSGroup = &gid
	}
	for _, v := range m.volumes {
		source := corev1.VolumeSource{PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: m.claim(v)}}
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: v.name, VolumeSource: source})
	}
	return pod, nil
}

func (m member) container() corev1.Container {
	c := corev1.Container{
		Name: m.object(), Image: m.image, ImagePullPolicy: corev1.PullIfNotPresent,
		SecurityContext: &corev1.SecurityContext{
			AllowPrivilegeEscalation: new(false), ReadOnlyRootFilesystem: new(true),
			Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		},
		VolumeMounts: []corev1.VolumeMount{{Name: "tmp", MountPath: "/tmp"}},
	}
	for _, port := range m.ports() {
		c.Ports = append(c.Ports, corev1.ContainerPort{Name: portName(port), ContainerPort: int32(port)})
	}
	for _, v := range m.volumes {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: v.name, MountPath: v.dir})
	}
	m.probe(&c)
	return c
}

// user returns the numbers of the image's user and group.
func (m member) user() (uid, gid int64, err error) {
	u, g, _ := strings.Cut(m.config.User, ":")
	uid, err = strconv.ParseInt(u, 10, 64)
	if err == nil {
		gid, err = strconv.ParseInt(g, 10, 64)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("user %q of the image: it is not two numbers, UID:GID", m.config.User)
	}
	return uid, gid, nil
}
