package verify

// originRules are the rules of the group Origin.
var originRules = []Rule{
	{
		Name: "base", Group: Origin,
		Summary: "labels say what the image was made from: its base's name and digest (or the digest of this family's locks), well-formed, and the lock's own when one is given",
		Why:     "nobody can tell which images to build again when a base gets a fix",
		Fix:     "set " + baseNameLabel + " and " + baseDigestLabel + " when the image is built",
		check:   checkBase,
	},
	{
		Name: "packages", Group: Origin,
		Summary: "the system's packages are those of the lock, in its versions, when one is given",
		Why:     "what is not in the lock nobody has reviewed, and nobody can build again",
		Fix:     "build the image again from its lock, or bring the lock up to date and review it",
		check:   checkPackages,
	},
	{
		Name: "distributions", Group: Origin,
		Summary: "the Python distributions are those of the lock, in its versions, when one is given",
		Why:     "what is not in the lock nobody has reviewed, and nobody can build again",
		Fix:     "build the image again from its lock, or bring the lock up to date and review it",
		check:   checkDistributions,
	},
	{
		Name: "layers", Group: Origin,
		Summary: "the first layers are those that the lock names by digest, when one is given",
		Why:     "the image stands on other files than those that were reviewed",
		Fix:     "build the image again from its lock",
		check:   checkLayers,
	},
	{
		Name: "platform", Group: Origin,
		Summary: "the config's system and CPU are those that the image is for",
		Why:     "a runtime chooses an image by it, and then cannot start what is inside",
		Fix:     "build for the platform itself, and let the builder write the config",
		check:   checkPlatform,
	},
	{
		Name: "diff-id", Group: Origin,
		Summary: "the config names each layer by the digest that it has, and its history has an entry for each",
		Why:     "a runtime refuses the image, or a scanner sees other layers than those that run",
		Fix:     "write the config with the tool that writes the layers",
		check:   checkDiffID,
	},
	{
		Name: "media-type", Group: Origin,
		Summary: "manifest, config and layers are all OCI's or all Docker's, of known types, and compressed as these say",
		Why:     "some runtimes and registries refuse it, others take a layer for what it is not",
		Fix:     "push the image again with a tool that converts all of it",
		check:   checkMediaType,
	},
	{
		Name: "index", Group: Origin,
		Summary: "the index has an image for each platform that was asked for, one each, and says of it what is true",
		Why:     "a machine gets no image, or that of another CPU",
		Fix:     "build all platforms together, and let the builder write the index",
		check:   func(im *image) []hit { return im.index },
	},
}
