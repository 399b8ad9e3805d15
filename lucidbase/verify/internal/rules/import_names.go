package rules

import "strings"

// distributions are those whose modules are called otherwise, by the module.
var distributions = table(`
argon2=argon2-cffi attr=attrs bs4=beautifulsoup4 barcode=python-barcode bson=pymongo cairo=pycairo can=python-can consul=python-consul corsheaders=django-cors-headers
Crypto=pycryptodome Cryptodome=pycryptodomex cv2=opencv-python-headless dateutil=python-dateutil dbus=dbus-python decouple=python-decouple discord=discord.py
django=Django dns=dnspython docx=python-docx dotenv=python-dotenv engineio=python-engineio environ=django-environ faiss=faiss-cpu fitz=pymupdf flask_cors=flask-cors
flask_sqlalchemy=flask-sqlalchemy gi=pygobject git=gitpython github=pygithub googleapiclient=google-api-python-client gridfs=pymongo grpc=grpcio grpc_health=grpcio-health-checking
grpc_reflection=grpcio-reflection grpc_status=grpcio-status grpc_tools=grpcio-tools jose=python-jose jwt=pyjwt kafka=kafka-python ldap=python-ldap
Levenshtein=levenshtein magic=python-magic markdown=Markdown memcache=python-memcached mpl_toolkits=matplotlib multipart=python-multipart MySQLdb=mysqlclient
nacl=pynacl nats=nats-py nmap=python-nmap OpenSSL=pyopenssl OpenGL=pyopengl PIL=pillow pkg_resources=setuptools pptx=python-pptx psycopg2=psycopg2-binary
pydantic_settings=pydantic-settings pythonjsonlogger=python-json-logger rest_framework=djangorestframework RPi=rpi-gpio ruamel=ruamel.yaml sentry_sdk=sentry-sdk
serial=pyserial skimage=scikit-image sklearn=scikit-learn slugify=python-slugify snappy=python-snappy socketio=python-socketio socks=pysocks
sse_starlette=sse-starlette telegram=python-telegram-bot usb=pyusb websocket=websocket-client werkzeug=Werkzeug wx=wxpython Xlib=python-xlib yaml=pyyaml zmq=pyzmq
google.api_core=google-api-core google.auth=google-auth google.genai=google-genai google.generativeai=google-generativeai google.oauth2=google-auth
google.protobuf=protobuf google.rpc=googleapis-common-protos google_auth_oauthlib=google-auth-oauthlib opentelemetry=opentelemetry-api
opentelemetry.sdk=opentelemetry-sdk opentelemetry.exporter=opentelemetry-exporter-otlp azure.identity=azure-identity azure.core=azure-core
azure.storage.blob=azure-storage-blob
`)

func table(s string) map[string]string {
	m := map[string]string{}
	for _, pair := range strings.Fields(s) {
		module, distribution, _ := strings.Cut(pair, "=")
		m[module] = distribution
	}
	return m
}

// sameName are distributions whose top module is called as they are, with hyphens for
// underscores, and that services use.
var sameName = strings.Fields(`aio_pika aiofiles aiohttp aiokafka aiomysql aiosqlite amqp annotated_types asgiref async_timeout attrs billiard blinker cffi charset_normalizer
frozenlist gevent greenlet h11 httpcore httptools idna kombu limits markupsafe multidict networkx packaging peewee pluggy polars prompt_toolkit psycopg_pool pyarrow
pydantic_core pygments python_multipart sanic six slowapi sniffio sqlparse statsd textual tornado trio tzdata tzlocal watchfiles whitenoise yarl
aiohttp alembic anyio apscheduler asyncpg bcrypt boto3 botocore celery certifi click cryptography django docker email_validator
fastapi flask gunicorn httpx hypercorn itsdangerous jinja2 kubernetes loguru lxml marshmallow motor msgpack numpy openai orjson pandas paramiko
passlib pika prometheus_client psutil psycopg pydantic pymongo pymysql pytest qrcode redis requests rich scipy sqlalchemy sqlmodel starlette stem structlog
telethon tenacity toml tomli torch tqdm typer typing_extensions ujson urllib3 uvicorn uvloop watchdog web3 websockets`)

// distributionOf returns the distribution that a missing module is of, by the longest
// part of the full name that is known; empty where nobody knows.
func distributionOf(missing, module string) string {
	if service, ok := strings.CutPrefix(module, "google.cloud."); ok && strings.HasPrefix(module, missing) {
		service, _, _ = strings.Cut(service, ".")
		return "google-cloud-" + strings.ReplaceAll(service, "_", "-")
	}
	// The longest name that is known says it best: opentelemetry.sdk before opentelemetry.
	for name := module; len(name) >= len(missing); {
		if d := distributions[name]; d != "" {
			return d
		}
		i := strings.LastIndex(name, ".")
		if i < 0 {
			break
		}
		name = name[:i]
	}
	for _, n := range sameName {
		if n == missing {
			return strings.ReplaceAll(n, "_", "-")
		}
	}
	return ""
}
