#!/usr/bin/env python3
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import uvicorn

from core.config import settings
from orders.main import app

if __name__ == "__main__":
    uvicorn.run(app, host=settings.host, port=settings.port)
