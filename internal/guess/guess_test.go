package guess_test

import (
	"go/parser"
	"go/token"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/lucid-project/base-images/internal/guess"
	"github.com/lucid-project/base-images/lucidbase"
	"github.com/lucid-project/base-images/lucidbase/file"
	"github.com/lucid-project/base-images/lucidbase/lock"
	"github.com/lucid-project/base-images/variants"
)

const manage = "import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'shop.settings')\n"

// A project becomes a file that Load and Graph take, and a program.
func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		files   map[string]string
		command []string
		port    int
		path    string
		from    string
	}{
		"fastapi": {
			map[string]string{"requirements.txt": "fastapi==0.104.1\n", "app/main.py": "from fastapi import FastAPI\napp = FastAPI(title='x')\n@app.get('/health')\ndef h(): ...\n", "app/other.py": ""},
			[]string{"python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000"}, 8000, "/health", ".",
		},
		"port of the source": {
			map[string]string{"requirements.txt": "fastapi\n", "main.py": "import fastapi\napi: fastapi.FastAPI = fastapi.FastAPI()\n", "config.py": "PORT = 8090\n"},
			[]string{"python", "-m", "uvicorn", "main:api", "--host", "0.0.0.0", "--port", "8090"}, 8090, "", ".",
		},
		"flask": {
			map[string]string{"requirements.txt": "Flask\n", "wsgi.py": "app = Flask(__name__)\n", "Dockerfile": "FROM x\nEXPOSE 5001\n"},
			[]string{"python", "-m", "flask", "--app", "wsgi:app", "run", "--host", "0.0.0.0", "--port", "5001"}, 5001, "", ".",
		},
		"flask with gunicorn": {
			map[string]string{"requirements.txt": "Flask\nGunicorn>=20\n", "web/__init__.py": "app = Flask(__name__)\n"},
			[]string{"gunicorn", "--bind", "0.0.0.0:8000", "web:app"}, 8000, "", ".",
		},
		"celery": {
			map[string]string{"requirements.in": "celery[redis]\n", "jobs/tasks.py": "app = Celery('jobs')\n", "Dockerfile": "EXPOSE 80\n"},
			[]string{"celery", "-A", "jobs.tasks:app", "worker", "--loglevel", "info"}, 0, "", ".",
		},
		"django": {
			map[string]string{"requirements.txt": "django\n", "manage.py": manage, "shop/wsgi.py": ""},
			[]string{"python", "manage.py", "runserver", "--noreload", "0.0.0.0:8000"}, 8000, "", ".",
		},
		"django with gunicorn": {
			map[string]string{"requirements.txt": "django\ngunicorn\n", "manage.py": manage, "shop/wsgi.py": "# /healthz\nx = '/healthz'"},
			[]string{"gunicorn", "--bind", "0.0.0.0:8000", "shop.wsgi:application"}, 8000, "/healthz", ".",
		},
		"plain": {
			map[string]string{"requirements.txt": "", "src/main.py": "from src import x\nif __name__ == '__main__':\n    x()\n", "tests/main.py": "if __name__ == '__main__': 1"},
			[]string{"python", "-m", "src.main"}, 0, "", ".",
		},
		"package in src": {
			map[string]string{"pyproject.toml": "[project]\nname='Big_Thing'\ndependencies=['redis>=5', 'httpx']\n", "src/big/__init__.py": "", "src/big/__main__.py": "import big\n"},
			[]string{"python", "-m", "big"}, 0, "", "src",
		},
		"no packages":     {map[string]string{"pyproject.toml": "[project]\nname='x'\n", "true.py": "if __name__ == '__main__': 1"}, []string{"python", "-m", "true"}, 0, "", "."},
		"nothing to run":  {map[string]string{"requirements.txt": "x", "lib.py": ""}, []string{"python", "-m", "main"}, 0, "", "."},
		"name of a digit": {map[string]string{"pyproject.toml": "[project]\nname='1'\n"}, []string{"python", "-m", "main"}, 0, "", "."},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range c.files {
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			p, err := guess.Read(fsys, "My Service")
			require.NoError(t, err)
			require.NotEmpty(t, p.Notes)
			fsys["lucidbase.yaml"] = &fstest.MapFile{Data: []byte(p.YAML())}
			fsys["requirements.lock.txt"] = &fstest.MapFile{}
			fsys["requirements.lock.toml"] = &fstest.MapFile{Data: lock.Packages{Targets: lock.WheelTargets()}.FormatTOML()}
			services, err := file.Load(fsys, "lucidbase.yaml")
			require.NoError(t, err, p.YAML())
			s := services[p.Name]
			require.Equal(t, c.command, s.Command)
			require.Equal(t, c.port, s.Port)
			require.Equal(t, variants.Health{Path: c.path, TCP: c.path == "" && c.port != 0}, s.Health)
			require.Equal(t, c.from, p.From)
			_, err = s.Graph(lucidbase.Platforms{Target: lucidbase.LinuxARM64, Build: lucidbase.LinuxAMD64})
			require.NoError(t, err)
			text, err := p.Go()
			require.NoError(t, err)
			_, err = parser.ParseFile(token.NewFileSet(), "main.go", text, parser.AllErrors)
			require.NoError(t, err)
		})
	}
}

func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"[project":                               "parsing pyproject.toml",
		"[tool.poetry.dependencies]\nredis='^5'": "export them to requirements.txt",
		"[project]\ndynamic=['dependencies']\n":  "export them to requirements.txt",
	} {
		_, err := guess.Read(fstest.MapFS{"pyproject.toml": {Data: []byte(text)}}, "x")
		require.ErrorContains(t, err, want)
	}
	_, err := guess.Read(fstest.MapFS{}, "x")
	require.ErrorIs(t, err, guess.ErrNoList)
}

func TestName(t *testing.T) {
	for dir, want := range map[string]string{"My Service": "my-service", "a_b.c": "a-b-c", "---": "service", "Ä": "service"} {
		p, err := guess.Read(fstest.MapFS{"requirements.txt": {}}, dir)
		require.NoError(t, err)
		require.Equal(t, want, p.Name)
	}
}
