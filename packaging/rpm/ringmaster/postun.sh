if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    # A restart with a configuration that this version refuses would end a proxy that serves.
    if [ $1 -ge 1 ]; then
        CONFIG=/etc/ringmaster/ringmaster.yml
        if [ -e /usr/lib/systemd/system/ringmaster.service.d/nutcracker.conf ]; then
            CONFIG=/etc/nutcracker/nutcracker.yml
        fi
        if [ -r /etc/sysconfig/ringmaster ]; then
            . /etc/sysconfig/ringmaster
        fi
        if problems=$(/usr/sbin/ringmaster -t -c "$CONFIG" 2>&1); then
            systemctl try-restart ringmaster.service >/dev/null 2>&1 || :
        else
            echo "ringmaster: not restarted, this version does not take $CONFIG:" >&2
            echo "$problems" >&2
        fi
    fi
fi
# What has no owner in the package: it was made while the service ran.
if [ $1 -eq 0 ]; then
    rm -rf /run/ringmaster
fi
exit 0
