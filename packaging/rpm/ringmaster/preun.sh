if [ $1 -eq 0 ] && command -v systemctl >/dev/null; then
    if [ -d /run/systemd/system ]; then
        systemctl --no-reload disable --now ringmaster.service >/dev/null 2>&1 || :
    else
        systemctl --no-reload disable ringmaster.service >/dev/null 2>&1 || :
    fi
fi
exit 0
