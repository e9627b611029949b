//! Entry points of Python frameworks.

use super::{app, entries};

#[test]
fn flask_blueprints() {
    let program = app(&[
        ("requirements.txt", "flask\n"),
        (
            "app.py",
            "from flask import Flask\nfrom routes.pay import pay\nfrom routes import admin\nfrom legacy import init_routes\n\napp = Flask(__name__)\napp.register_blueprint(pay, url_prefix='/api/pay')\napp.register_blueprint(admin.bp)\ninit_routes(app)\n\n@app.before_request\ndef check():\n    pass\n\n@app.route('/')\ndef index():\n    pass\n\nif __name__ == '__main__':\n    app.run()\n",
        ),
        ("routes/__init__.py", ""),
        (
            "routes/pay.py",
            "from flask import Blueprint\nfrom functools import wraps\n\npay = Blueprint('pay', __name__, url_prefix='/ignored')\n\ndef login_required(f):\n    @wraps(f)\n    def inner(*args, **kwargs):\n        return f(*args, **kwargs)\n    return inner\n\n@pay.route('/charge/<int:user_id>', methods=['POST', 'PUT'])\n@login_required\ndef charge(user_id):\n    pass\n",
        ),
        (
            "routes/admin.py",
            "from flask import Blueprint\nfrom flask.views import MethodView\n\nbp = Blueprint('admin', __name__, url_prefix='/admin')\n\nclass Users(MethodView):\n    def get(self):\n        pass\n    def delete(self):\n        pass\n\nbp.add_url_rule('/users', view_func=Users.as_view('users'))\n",
        ),
        (
            "legacy.py",
            "def init_routes(app):\n    @app.route('/old', methods=['POST'])\n    def old():\n        pass\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn fastapi_routers() {
    let program = app(&[
        ("requirements.txt", "fastapi\n"),
        (
            "app/main.py",
            "from fastapi import FastAPI, Depends\nfrom app.api import router as api\nfrom app.deps import admin_only\n\napp = FastAPI()\napp.include_router(api, prefix='/api')\n\n@app.middleware('http')\nasync def timing(request, call_next):\n    return await call_next(request)\n\n@app.post('/hook', dependencies=[Depends(admin_only)])\nasync def hook(request):\n    pass\n",
        ),
        ("app/__init__.py", ""),
        (
            "app/api/__init__.py",
            "from fastapi import APIRouter\nfrom . import users\n\nrouter = APIRouter()\nrouter.include_router(users.router, prefix='/users')\n",
        ),
        (
            "app/api/users.py",
            "from typing import Annotated\nfrom fastapi import APIRouter, Depends\nfrom app.deps import current_user, admin_only, User, CurrentUser\n\nrouter = APIRouter(dependencies=[Depends(admin_only)])\n\n@router.get('/{user_id}')\nasync def one(user_id: int, user: User = Depends(current_user)):\n    pass\n\n@router.post('/')\nasync def create(user: CurrentUser):\n    pass\n\n@router.delete('/{user_id}')\ndef delete(user: Annotated[User, Depends(current_user)]):\n    pass\n",
        ),
        (
            "app/deps.py",
            "from typing import Annotated\nfrom fastapi import Depends, Header, Request\n\nclass User:\n    pass\n\ndef current_user(authorization: str = Header()):\n    return User()\n\ndef admin_only(request: Request):\n    pass\n\nCurrentUser = Annotated[User, Depends(current_user)]\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn django_urls() {
    let program = app(&[
        ("manage.py", "import sys\n\nif __name__ == '__main__':\n    pass\n"),
        (
            "shop/urls.py",
            "from django.contrib import admin\nfrom django.urls import path, include\n\nurlpatterns = [\n    path('admin/', admin.site.urls),\n    path('api/', include('orders.urls')),\n]\n",
        ),
        ("shop/__init__.py", ""),
        ("orders/__init__.py", ""),
        (
            "orders/urls.py",
            "from django.urls import path, re_path, include\nfrom django.contrib.auth.decorators import login_required\nfrom rest_framework.routers import DefaultRouter\nfrom . import views\n\nrouter = DefaultRouter()\nrouter.register(r'orders', views.OrderViewSet)\n\nurlpatterns = [\n    path('hook/', views.hook),\n    path('one/<int:pk>/', login_required(views.One.as_view())),\n    re_path(r'^old/(?P<slug>[\\w-]+)/$', views.old),\n    path('', include(router.urls)),\n]\nurlpatterns += [path('more/', views.more)]\n",
        ),
        (
            "orders/views.py",
            "from django.views.decorators.csrf import csrf_exempt\nfrom django.views.decorators.http import require_POST\nfrom rest_framework.decorators import api_view, action\nfrom rest_framework.permissions import IsAuthenticated\nfrom rest_framework.views import APIView\nfrom rest_framework import viewsets\n\n@csrf_exempt\n@require_POST\ndef hook(request):\n    pass\n\nclass One(APIView):\n    permission_classes = [IsAuthenticated]\n    def get(self, request, pk):\n        pass\n    def post(self, request, pk):\n        pass\n\ndef old(request, slug):\n    pass\n\n@api_view(['GET', 'POST'])\ndef more(request):\n    pass\n\nclass OrderViewSet(viewsets.ModelViewSet):\n    def create(self, request):\n        pass\n    @action(detail=True, methods=['post'], url_path='pay-now')\n    def pay(self, request, pk=None):\n        pass\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}

#[test]
fn tasks() {
    let program = app(&[
        ("requirements.txt", "celery\n"),
        (
            "worker.py",
            "from celery import Celery, shared_task\nfrom apscheduler.schedulers.background import BackgroundScheduler\n\ncelery = Celery('x')\nscheduler = BackgroundScheduler()\n\n@celery.task(bind=True)\ndef send(self):\n    pass\n\n@shared_task\ndef other():\n    pass\n\ndef sweep():\n    pass\n\nscheduler.add_job(sweep, 'interval', minutes=5)\n",
        ),
    ]);
    insta::assert_snapshot!(entries(&program, false));
}
