from common import serve

serve("users", lambda: "nobody")
