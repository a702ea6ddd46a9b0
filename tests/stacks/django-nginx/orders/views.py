from django.http import JsonResponse
from django.views.decorators.http import require_GET

ORDERS = [
    {"id": 1, "article": "bolt", "quantity": 500},
    {"id": 2, "article": "nut", "quantity": 480},
]


@require_GET
def orders(request):
    return JsonResponse({"orders": ORDERS, "caller": caller(request)})


def caller(request):
    """Who nginx says that it is, or None where it has not verified a certificate."""
    if request.headers.get("X-SSL-Client-Verify") != "SUCCESS":
        return None
    return {
        "subject": request.headers["X-SSL-Client-S-DN"],
        "serial": request.headers["X-SSL-Client-Serial"],
        "address": request.headers["X-Forwarded-For"],
    }
