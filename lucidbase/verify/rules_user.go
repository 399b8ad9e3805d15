package verify

// userRules are the rules of the group User.
var userRules = []Rule{
	{
		Name: "user", Group: User,
		Summary: "a numeric user and group, neither of them root",
		Why:     "root in the container is close to root on the host, and Kubernetes' runAsNonRoot takes a number alone",
		Fix:     `USER 65532:65532`,
		check:   checkUser,
	},
	{
		Name: "owner", Group: User,
		Summary: "user and group own nothing but the temporary directories, their home, the working directory and the volumes",
		Why:     "what a process may write, an intruder may replace",
		Fix:     "let root own it (COPY without --chown), or declare it a volume",
		check:   checkOwner,
	},
	{
		Name: "command", Group: User,
		Summary: "an entrypoint or a command that is there, that the user may execute, and that needs no shell",
		Why:     "the container does not start",
		Fix:     `use the exec form (CMD ["python", "-m", "app"]) of a program that is in the image`,
		check:   checkCommand,
	},
	{
		Name: "healthcheck", Group: User,
		Summary: "a health check, if any, that runs without a shell a program that is there",
		Why:     "the container is never healthy",
		Fix:     `HEALTHCHECK CMD ["python", "-c", "..."], or leave it to the orchestrator`,
		check:   checkHealthcheck,
	},
	{
		Name: "env-path", Group: User,
		Summary: "files and directories that the environment names are there and can be read",
		Why:     "the program that reads the variable fails, or goes on without: TLS without certificates",
		Fix:     "add the file, or correct the variable",
		check:   checkEnvPath,
	},
	{
		Name: "workdir", Group: User,
		Summary: "an absolute working directory that is there and that the user may enter",
		Why:     "the runtime makes a missing one as root, or does not start the container",
		Fix:     "WORKDIR to a directory that a layer has",
		check:   checkWorkdir,
	},
}
