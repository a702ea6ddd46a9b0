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
    """Subject and serial number of the client's certificate. gunicorn gives its socket; uvicorn tells nothing."""
    socket = request.META.get("gunicorn.socket")
    if socket is None:
        return None
    certificate = socket.getpeercert()
    subject = ",".join(f"{key}={value}" for name in certificate["subject"] for key, value in name)
    return {"subject": subject, "serial": certificate["serialNumber"]}
