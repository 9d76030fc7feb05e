# Before the files are there: they belong to this user.
getent group ringmaster >/dev/null || groupadd --system ringmaster
getent passwd ringmaster >/dev/null ||
    useradd --system --gid ringmaster --no-create-home --home-dir /nonexistent \
        --shell /usr/sbin/nologin --comment "ringmaster proxy" ringmaster
exit 0
