config=/etc/nutcracker/nutcracker.yml
as_service() {
    setpriv --reuid=ringmaster --regid=ringmaster --clear-groups "$@"
}
if [ ! -e "$config" ] && [ ! -L "$config" ]; then
    ln -s /etc/ringmaster/ringmaster.yml "$config"
elif [ -f "$config" ] && ! as_service test -r "$config"; then
    group=$(stat -c %G "$config")
    chgrp ringmaster "$config"
    chmod g=r "$config"
    if as_service test -r "$config"; then
        echo "ringmaster-nutcracker: the group ringmaster can read $config now;" \
            "it was the group $group's" >&2
    else
        echo "ringmaster-nutcracker: the user ringmaster cannot read $config:" \
            "look at its folders" >&2
    fi
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    if as_service /usr/sbin/ringmaster -t -c "$config" >/dev/null 2>&1; then
        systemctl try-restart ringmaster.service >/dev/null 2>&1 || :
    fi
fi
exit 0
