# Superset for ugc: SECRET_KEY is made at the first start and kept beside the tables.
import os
import secrets

home = os.environ.get("SUPERSET_HOME", "/app/superset_home")
secret_file = os.path.join(home, "secret_key")
if not os.path.exists(secret_file):
    os.makedirs(home, exist_ok=True)
    with os.fdopen(os.open(secret_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(42))
with open(secret_file) as file:
    SECRET_KEY = file.read()

SQLALCHEMY_DATABASE_URI = f"sqlite:///{home}/superset.db?check_same_thread=false"
# Hive takes its time.
SUPERSET_WEBSERVER_TIMEOUT = 300
