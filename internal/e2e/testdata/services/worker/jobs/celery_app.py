import os

from celery import Celery
from dotenv import load_dotenv

load_dotenv()
app = Celery("jobs", broker=os.getenv("BROKER_URL", "memory://"), include=["jobs.tasks"])
