if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
    # A restart with a configuration that this version refuses would end a proxy that serves.
    if [ $1 -ge 1 ]; then
        # As the service: a file that only root can read is one that it cannot. The options are not
        # sourced: what systemd takes, a shell may stumble over.
        option() {
            if [ -r /etc/sysconfig/ringmaster ]; then
                sed -n "s/^$1=//p" /etc/sysconfig/ringmaster | tail -n 1 | tr -d "\"'"
            fi
        }
        CONFIG=$(option CONFIG)
        if [ -z "$CONFIG" ]; then
            CONFIG=/etc/ringmaster/ringmaster.yml
            if [ -e /usr/lib/systemd/system/ringmaster.service.d/nutcracker.conf ]; then
                CONFIG=/etc/nutcracker/nutcracker.yml
            fi
        fi
        if problems=$(setpriv --reuid=ringmaster --regid=ringmaster --clear-groups \
            /usr/sbin/ringmaster -t -c "$CONFIG" $(option DAEMON_OPTS) 2>&1); then
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
