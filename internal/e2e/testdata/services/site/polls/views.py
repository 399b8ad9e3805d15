from django.http import JsonResponse
from .models import Question


def health(request):
    return JsonResponse({"ok": True, "table": Question._meta.db_table})
