if [ $1 -eq 0 ]; then
    config=/etc/nutcracker/nutcracker.yml
    if [ "$(readlink "$config")" = /etc/ringmaster/ringmaster.yml ]; then
        rm -f "$config"
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload >/dev/null 2>&1 || :
        systemctl try-restart ringmaster.service >/dev/null 2>&1 || :
    fi
fi
exit 0
