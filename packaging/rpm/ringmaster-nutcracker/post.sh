config=/etc/nutcracker/nutcracker.yml
if [ ! -e "$config" ] && [ ! -L "$config" ]; then
    ln -s /etc/ringmaster/ringmaster.yml "$config"
elif [ -f "$config" ] &&
    ! setpriv --reuid=ringmaster --regid=ringmaster --clear-groups test -r "$config"; then
    chgrp ringmaster "$config"
    chmod g+r "$config"
    echo "ringmaster-nutcracker: the group ringmaster can read $config now" >&2
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    if /usr/sbin/ringmaster -t -c "$config" >/dev/null 2>&1; then
        systemctl try-restart ringmaster.service >/dev/null 2>&1 || :
    fi
fi
exit 0
