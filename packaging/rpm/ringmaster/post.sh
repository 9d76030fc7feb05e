# Presets decide whether the service is enabled, as everywhere in this family of systems.
if [ $1 -eq 1 ] && command -v systemctl >/dev/null; then
    systemctl --no-reload preset ringmaster.service >/dev/null 2>&1 || :
fi
if command -v systemd-tmpfiles >/dev/null; then
    systemd-tmpfiles --create ringmaster.conf >/dev/null 2>&1 || :
fi
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload >/dev/null 2>&1 || :
fi
exit 0
