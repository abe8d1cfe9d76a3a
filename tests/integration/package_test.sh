#!/bin/sh
# Builds the Debian package of a build folder and looks into it. Usage: package_test.sh BUILD-FOLDER
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$1"
cpack -G DEB -B "$work" >"$work/log" || { cat "$work/log"; exit 1; }
package=$(ls "$work"/*.deb)
dpkg-deb --contents "$package" >"$work/contents"
for file in /usr/bin/pubsubsqld /usr/bin/pubsubsql /etc/pubsubsql/pubsubsqld.conf /lib/systemd/system/pubsubsqld.service \
  /usr/include/pubsubsql/client.hpp /usr/share/doc/pubsubsql/LICENSE; do
  grep -q " \.$file\$" "$work/contents" || { echo "the package has no $file:"; cat "$work/contents"; exit 1; }
done
dpkg-deb --info "$package"
dpkg-deb --extract "$package" "$work/root"
"$work/root/usr/bin/pubsubsqld" --version
"$work/root/usr/bin/pubsubsqld" --config "$work/root/etc/pubsubsql/pubsubsqld.conf" --help >/dev/null
