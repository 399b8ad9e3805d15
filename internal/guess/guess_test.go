package guess_test

import (
	"go/parser"
	"go/token"
	"strings"
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
		"factory of flask": {
			map[string]string{"requirements.txt": "flask==3.0.0\ngunicorn\n", "shop/__init__.py": "from flask import Flask\n\ndef create_app(test_config=None):\n    app = Flask(__name__)\n    return app\n"},
			[]string{"gunicorn", "--bind", "0.0.0.0:8000", "shop:create_app()"}, 8000, "", ".",
		},
		"what calls a factory": {
			map[string]string{"requirements.txt": "flask\n", "shop/__init__.py": "def create_app(*, config: str | None = None) -> Flask:\n    return Flask(__name__)\n", "wsgi.py": "from shop import create_app\n\napp = create_app()\n"},
			[]string{"python", "-m", "flask", "--app", "wsgi:app", "run", "--host", "0.0.0.0", "--port", "8000"}, 8000, "", ".",
		},
		"factory of fastapi": {
			map[string]string{"requirements.txt": "fastapi\n", "api/server.py": "def build_app(\n    settings: Settings = None,\n):\n    app = fastapi.FastAPI()\n    return app\n"},
			[]string{"python", "-m", "uvicorn", "api.server:build_app", "--host", "0.0.0.0", "--port", "8000", "--factory"}, 8000, "", ".",
		},
		"a factory that asks for something": {
			map[string]string{"requirements.txt": "flask\n", "main.py": "def create_app(config):\n    return Flask(__name__)\n\nif __name__ == '__main__':\n    create_app(1).run()\n"},
			[]string{"python", "-m", "main"}, 0, "", ".",
		},
		"main that nothing calls": {
			map[string]string{"requirements.txt": "aio-pika\n", "consumer/main.py": "async def main():\n    await serve()\n"},
			[]string{"python", "-c", "import asyncio; from consumer.main import main; asyncio.run(main())"}, 0, "", ".",
		},
		"main that is called": {
			map[string]string{"requirements.txt": "aio-pika\n", "consumer/main.py": "async def main():\n    await serve()\n\nasyncio.run(main())\n"},
			[]string{"python", "-m", "consumer.main"}, 0, "", ".",
		},
		"streamlit": {
			map[string]string{"requirements.txt": "streamlit==1.38.0\n", "db.py": "import streamlit\n", "app.py": "import streamlit as st\nst.title('x')\n", "pages/app.py": "import streamlit as st\n"},
			[]string{"streamlit", "run", "app.py", "--server.address", "0.0.0.0", "--server.port", "8501", "--server.headless", "true"}, 8501, "/_stcore/health", ".",
		},
		"streamlit with a name and a port of its own": {
			map[string]string{"requirements.txt": "streamlit\n", "ui/start.py": "from streamlit import title\n", "Dockerfile": "EXPOSE 80\n"},
			[]string{"streamlit", "run", "ui/start.py", "--server.address", "0.0.0.0", "--server.port", "80", "--server.headless", "true"}, 80, "/_stcore/health", ".",
		},
		"streamlit that nothing imports": {
			map[string]string{"requirements.txt": "streamlit\n", "main.py": "import os\n"},
			[]string{"python", "-m", "main"}, 0, "", ".",
		},
		"grpc": {
			map[string]string{"requirements.txt": "grpcio\n", "server.py": "server = grpc.server(pool)\nserver.add_insecure_port(\"[::]:50051\")\nserver.start()\n"},
			[]string{"python", "-m", "server"}, 50051, "", ".",
		},
		"grpc with TLS": {
			map[string]string{"requirements.txt": "grpcio\n", "server.py": "server.add_secure_port('0.0.0.0:8443', credentials)\n"},
			[]string{"python", "-m", "server"}, 8443, "", ".",
		},
		"poetry": {
			map[string]string{"pyproject.toml": "[tool.poetry]\nname='orders'\n[tool.poetry.dependencies]\npython='^3.11'\nflask='^3.0'\n", "app.py": "app = Flask(__name__)\n"},
			[]string{"python", "-m", "flask", "--app", "app:app", "run", "--host", "0.0.0.0", "--port", "8000"}, 8000, "", ".",
		},
		"flask with a script beside it": {
			map[string]string{"requirements.txt": "flask\ngunicorn\n", "shop/__init__.py": "def create_app():\n    return Flask(__name__)\n", "init_db.py": "app = create_app()\n", "run.py": "app = create_app()\n"},
			[]string{"gunicorn", "--bind", "0.0.0.0:8000", "run:app"}, 8000, "", ".",
		},
		"what a Procfile says": {
			map[string]string{"requirements.txt": "flask\ngunicorn\n", "main.py": "app = Flask(__name__)\n", "shop.py": "web = Flask(__name__)\n", "Procfile": "web: gunicorn --log-file - shop:web\n"},
			[]string{"gunicorn", "--bind", "0.0.0.0:8000", "shop:web"}, 8000, "", ".",
		},
		"what a Dockerfile says": {
			map[string]string{"requirements.txt": "fastapi\n", "main.py": "app = FastAPI()\n", "api/web.py": "app = FastAPI()\n", "Dockerfile": "FROM x\n# CMD uvicorn main:app\nCMD [\"uvicorn\", \"api.web:app\", \"--host\", \"0.0.0.0\", \"--port\", \"8080\"]\n"},
			[]string{"python", "-m", "uvicorn", "api.web:app", "--host", "0.0.0.0", "--port", "8080"}, 8080, "", ".",
		},
		"what a script says": {
			map[string]string{"requirements.txt": "flask\ngunicorn\n", "shop.py": "def create_app():\n    return Flask(__name__)\n", "entrypoint.sh": "#!/bin/sh\npython init_db.py\nexec gunicorn -w 2 \\\n  -b 0.0.0.0:9000 'shop:create_app()'\n"},
			[]string{"gunicorn", "--bind", "0.0.0.0:9000", "shop:create_app()"}, 9000, "", ".",
		},
		"what serves another's application": {
			map[string]string{"requirements.txt": "flask\n", "main.py": "app = Flask(__name__)\n", "Procfile": "web: gunicorn gone:app\n"},
			[]string{"python", "-m", "flask", "--app", "main:app", "run", "--host", "0.0.0.0", "--port", "8000"}, 8000, "", ".",
		},
		"worker of a Procfile": {
			map[string]string{"requirements.txt": "aiogram\n", "main.py": "", "bot.py": "from main import x\nx()\n", "Procfile": "release: python setup.py\nworker: python -u bot.py\n"},
			[]string{"python", "-m", "bot"}, 0, "", ".",
		},
		"module of a Dockerfile": {
			map[string]string{"requirements.txt": "aiogram\n", "main.py": "", "bot/__main__.py": "x()\n", "Dockerfile": "RUN pip install x && \\\n  python main.py\nCMD [\"python3\", \"-m\", \"bot\"]\nHEALTHCHECK --interval=5s \\\n  CMD python main.py\n"},
			[]string{"python", "-m", "bot"}, 0, "", ".",
		},
		"what nothing imports": {
			map[string]string{"requirements.txt": "aiogram\n", "spawn.py": "bot = Bot()\n", "my_bot.py": "from spawn import bot\n\nbot.run()\n", "config.py": "TOKEN = 1\n"},
			[]string{"python", "-m", "my_bot"}, 0, "", ".",
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

// What a wheel leaves to the system is on the service's own list of Debian packages.
func TestSystem(t *testing.T) {
	for list, want := range map[string]string{
		"fastapi\nredis\n":                               "",
		"python-magic==0.4.27\n":                         "system: [libmagic1]",
		"Python_Magic\npydub\nffmpeg-python>=0.2\n":      "system: [ffmpeg, libmagic1]",
		"psycopg==3.2.3\n":                               "system: [libpq5]",
		"psycopg[pool] >= 3\n":                           "system: [libpq5]",
		"psycopg[binary,pool]==3.2.3\n":                  "",
		"psycopg\npsycopg-binary\n":                      "",
		"opencv-python-headless\n":                       "",
		"opencv-python==4.8.1.78 ; python_version>'3'\n": "system: [libgl1, libglib2.0-0, libice6, libsm6]",
	} {
		p, err := guess.Read(fstest.MapFS{"requirements.txt": {Data: []byte(list)}}, "x")
		require.NoError(t, err)
		text, err := p.Go()
		require.NoError(t, err)
		_, err = parser.ParseFile(token.NewFileSet(), "main.go", text, parser.AllErrors)
		require.NoError(t, err)
		if want == "" {
			require.NotContains(t, p.YAML(), "    system:", list)
			require.NotContains(t, text, "System", list)
			continue
		}
		require.Contains(t, p.YAML(), "    "+want+"\n", list)
		require.Contains(t, text, `lock.ReadSystem(os.DirFS("."), "system.lock.json")`, list)
		require.Contains(t, strings.Join(p.Notes, "\n"), "needs it, and does not bring it", list)
	}
}

// What an image cannot do without a person's help is said.
func TestToDo(t *testing.T) {
	for text, want := range map[string]string{
		"URL = 'sqlite:///./shop.db'\n":                                    "app.py writes a file (sqlite:///./shop.db)",
		"URL = 'sqlite:///' + os.path.join(HERE, 'app.db')\n":              "app.py writes a file (sqlite:///)",
		"URL = \"sqlite+aiosqlite:///x.db\"\n":                             "app.py writes a file (sqlite+aiosqlite:///x.db)",
		"c = sqlite3.connect('x.db')\n":                                    "app.py writes a file (sqlite3.connect('x.db)",
		"h = logging.FileHandler('bot.log')\n":                             "app.py writes a file (FileHandler('bot.log)",
		"D = {'ENGINE': 'django.db.backends.sqlite3'}\n":                   "app.py writes a file (django.db.backends.sqlite3)",
		"a = 'sqlite:////tmp/x.db', 'sqlite:///:memory:', 'sqlite://'\n":   "",
		"c = sqlite3.connect(':memory:'); h = FileHandler('/tmp/x.log')\n": "",
		"STATIC_ROOT = 'x'\n":                                              "python manage.py collectstatic before each build",
	} {
		p, err := guess.Read(fstest.MapFS{"requirements.txt": {}, "manage.py": {Data: []byte(manage)}, "app.py": {Data: []byte(text)}}, "x")
		require.NoError(t, err)
		notes := strings.Join(p.Notes, "\n")
		if want == "" {
			require.NotContains(t, notes, "to do", text)
			continue
		}
		require.Contains(t, notes, "to do: "+want, text)
	}
}

func TestReadErrors(t *testing.T) {
	for text, want := range map[string]string{
		"[project": "parsing pyproject.toml",
		"[tool.poetry.dependencies]\nredis={git='https://example.com/r.git'}":     "parsing pyproject.toml: redis: it is of a git",
		"[tool.poetry.dependencies]\nredis='^4 || ^5'\nflask={path='../flask'}\n": "parsing pyproject.toml: flask: it is of a path",
		"[project]\ndynamic=['dependencies']\n":                                   "export them to requirements.txt",
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

// A directory that is a package goes below /app by its name, if its modules import each
// other so.
func TestPackage(t *testing.T) {
	files := fstest.MapFS{"requirements.txt": {}, "__init__.py": {}, "config.py": {}, "main.py": {Data: []byte("from orders.config import X\nfrom . import config\nif __name__ == '__main__':\n    1\n")}}
	p, err := guess.Read(files, "orders")
	require.NoError(t, err)
	require.Equal(t, "/app/orders", p.To)
	require.Equal(t, []string{"python", "-m", "orders.main"}, p.Command)
	files["main.py"].Data = []byte("from config import X\nif __name__ == '__main__':\n    1\n")
	p, err = guess.Read(files, "orders")
	require.NoError(t, err)
	require.Equal(t, "/app", p.To)
	require.Equal(t, []string{"python", "-m", "main"}, p.Command)
}

// What other tools call requirements becomes a list.
func TestLists(t *testing.T) {
	for name, c := range map[string]struct{ file, text, want string }{
		"poetry": {"pyproject.toml", `
[tool.poetry.dependencies]
python = "^3.11"
a = "^1.2.3"
b = "^0.2.3"
c = "^0.0.3"
d = "~1.2.3"
e = "~1"
f = "1.4"
g = "*"
h = ">=1.0, !=1.3,<2"
i = {version = "^2.0", extras = ["x", "y"]}
j = {version = "^2.0", optional = true}
k = [{version = "<2", markers = "sys_platform == 'win32'"}, {version = "^2.1", python = ">=3.9"}]
l = "1.2.*"
[tool.poetry.group.dev.dependencies]
pytest = "*"
`, "a>=1.2.3,<2\nb>=0.2.3,<0.3\nc>=0.0.3,<0.0.4\nd>=1.2.3,<1.3\ne>=1,<2\nf==1.4\ng\nh>=1.0,!=1.3,<2\ni[x,y]>=2.0,<3\nk<2 ; sys_platform == 'win32'\nk>=2.1,<3\nl==1.2.*\n"},
		"PEP 621 wins": {"pyproject.toml", "[project]\ndependencies = ['a>=1']\n[tool.poetry.dependencies]\nb = '*'\n", "a>=1\n"},
		"setup.cfg":    {"setup.cfg", "[metadata]\nname = x\n[options]\npackages = find:\ninstall_requires =\n    a>=1\n    # no\n    b; python_version > '3'\npython_requires = >=3.9\n[options.extras_require]\ntest =\n    pytest\n", "a>=1\nb; python_version > '3'\n"},
		"Pipfile":      {"Pipfile", "[packages]\na = '*'\nb = {version = '>=2', extras = ['x']}\n[dev-packages]\npytest = '*'\n[requires]\npython_version = '3.11'\n", "a\nb[x]>=2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := guess.Read(fstest.MapFS{c.file: {Data: []byte(c.text)}}, "x")
			require.NoError(t, err)
			require.Equal(t, c.want, p.Lists["requirements.in"])
		})
	}
}
