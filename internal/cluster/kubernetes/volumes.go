package kubernetes

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/firesteel/firesteel/internal/event"
)

// volume is one volume of the family spark.kubernetes.{driver,executor}.volumes.TYPE.NAME.
type volume struct {
	kind, name                  string
	path, subPath, subPathExpr  string
	readOnly                    bool
	claim, storageClass         string
	size                        string
	medium, source, server      string
	hostType                    string
	claimLabels, claimAnnotated map[string]string
}

// onDemand is the claim name that asks for a claim of the pod's own.
const onDemand = "OnDemand"

// executorPlaceholder in a claim name stands for the executor's id.
const executorPlaceholder = "SPARK_EXECUTOR_ID"

// localDirVolume starts the names of volumes that are local directories.
const localDirVolume = "spark-local-dir-"

func (v *volume) isLocalDir() bool { return strings.HasPrefix(v.name, localDirVolume) }

// readVolumes reads the volumes under a prefix that ends with "volumes.".
func readVolumes(settings map[string]string, prefix string) ([]volume, error) {
	byName := map[string]*volume{}
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		parts := strings.SplitN(rest, ".", 3)
		if len(parts) != 3 {
			return nil, invalid(key, settings[key], "must be volumes.TYPE.NAME.OPTION")
		}
		v := byName[parts[0]+"."+parts[1]]
		if v == nil {
			v = &volume{kind: parts[0], name: parts[1], claimLabels: map[string]string{}, claimAnnotated: map[string]string{}}
			byName[parts[0]+"."+parts[1]] = v
		}
		if !v.set(parts[2], settings[key]) {
			return nil, invalid(key, settings[key], "is not an option of volumes")
		}
	}
	var out []volume
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		v := byName[name]
		if err := v.check(prefix + name); err != nil {
			return nil, err
		}
		out = append(out, *v)
	}
	return out, nil
}

func (v *volume) set(option, value string) bool {
	switch option {
	case "mount.path":
		v.path = value
	case "mount.subPath":
		v.subPath = value
	case "mount.subPathExpr":
		v.subPathExpr = value
	case "mount.readOnly":
		v.readOnly = strings.EqualFold(value, "true")
	case "options.claimName":
		v.claim = value
	case "options.storageClass":
		v.storageClass = value
	case "options.sizeLimit":
		v.size = value
	case "options.medium":
		v.medium = value
	case "options.path":
		v.source = value
	case "options.server":
		v.server = value
	case "options.type":
		v.hostType = value
	default:
		if l, ok := strings.CutPrefix(option, "label."); ok {
			v.claimLabels[l] = value
			return true
		}
		a, ok := strings.CutPrefix(option, "annotation.")
		if ok {
			v.claimAnnotated[a] = value
		}
		return ok
	}
	return true
}

// check says what is missing. at is the key up to the name.
func (v *volume) check(at string) error {
	need := map[string]string{"mount.path": v.path}
	switch v.kind {
	case "hostPath":
		need["options.path"] = v.source
	case "nfs":
		need["options.path"], need["options.server"] = v.source, v.server
	case "persistentVolumeClaim":
		need["options.claimName"] = v.claim
		if v.claim == onDemand {
			need["options.sizeLimit"] = v.size
		}
	case "emptyDir":
	default:
		return invalid(at, v.kind, "is none of hostPath, emptyDir, nfs, persistentVolumeClaim")
	}
	for _, option := range slices.Sorted(maps.Keys(need)) {
		if need[option] == "" {
			return invalid(at+"."+option, "", "must be set")
		}
	}
	if v.subPath != "" && v.subPathExpr != "" {
		return invalid(at+".mount.subPath", v.subPath, "excludes mount.subPathExpr")
	}
	if v.size != "" {
		if _, err := resource.ParseQuantity(v.size); err != nil {
			return invalid(at+".options.sizeLimit", v.size, "is not a quantity")
		}
	}
	return nil
}

// mount is the volume's mount in the container.
func (v *volume) mount() corev1.VolumeMount {
	return corev1.VolumeMount{Name: v.name, MountPath: v.path, SubPath: v.subPath, SubPathExpr: v.subPathExpr, ReadOnly: v.readOnly}
}

// volume is the pod's volume. claim is the name of the claim, where there is one.
func (v *volume) volume(claim string) corev1.Volume {
	out := corev1.Volume{Name: v.name}
	switch v.kind {
	case "hostPath":
		t := corev1.HostPathType(v.hostType)
		out.HostPath = &corev1.HostPathVolumeSource{Path: v.source, Type: &t}
	case "nfs":
		out.NFS = &corev1.NFSVolumeSource{Server: v.server, Path: v.source, ReadOnly: v.readOnly}
	case "emptyDir":
		out.EmptyDir = &corev1.EmptyDirVolumeSource{Medium: corev1.StorageMedium(v.medium)}
		if v.size != "" {
			q := resource.MustParse(v.size)
			out.EmptyDir.SizeLimit = &q
		}
	case "persistentVolumeClaim":
		out.PersistentVolumeClaim = &corev1.PersistentVolumeClaimVolumeSource{ClaimName: claim, ReadOnly: v.readOnly}
	}
	return out
}

// newClaim is an on-demand claim.
func (v *volume) newClaim(name, namespace string, labels map[string]string, oncePod bool) *corev1.PersistentVolumeClaim {
	mode := corev1.ReadWriteOnce
	if oncePod {
		mode = corev1.ReadWriteOncePod
	}
	c := &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: maps.Clone(labels), Annotations: v.claimAnnotated},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{mode},
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse(v.size)}},
		},
	}
	maps.Copy(c.Labels, v.claimLabels)
	if v.storageClass != "" {
		c.Spec.StorageClassName = &v.storageClass
	}
	return c
}

// replaceExecutor fills the executor's id into a claim name.
func replaceExecutor(claim string, id event.ExecutorID) string {
	return strings.ReplaceAll(claim, executorPlaceholder, string(id))
}
