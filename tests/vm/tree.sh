# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154 # scripts/vmtest sets what is not set here
# For scripts/vmtest: the file system of the virtual machine, an initramfs of this machine's
# programs with the libraries that they need. The kernel's modules are a second archive behind it.

# busybox has the others, whose additional options are not needed.
readonly programs='bash env nsenter unshare setpriv mount mountpoint jq ip ss tc bridge ethtool tcpdump
	xdp-loader strace mawk seq date stat find grep sed sort timeout modprobe'
# In this order, because each needs those before it.
devices='veth virtio_pci virtio_net dummy bridge macvlan 8021q bonding vrf cls_bpf sch_ingress inet_diag
	tcp_diag udp_diag'

# put FILE [WHERE]: copies it with the libraries that it needs.
put() {
	local library
	install -D "$1" "$tree${2:-$1}" || return
	while read -r library; do
		[ -e "$tree$library" ] || install -D "$library" "$tree$library" || return
	done < <(ldd "$1" 2>/dev/null | grep -o '/[^ ]*')
}

put_programs() {
	local name
	for name in $programs busybox; do
		put "$(realpath "$(type -P "$name")")" "/usr/bin/$name" || return
	done
	ln -sf mawk "$tree/usr/bin/awk"
	ln -s bash "$tree/usr/bin/sh"
	put "$(find_bpftool)" /usr/sbin/bpftool
}

# The distribution's Python, whatever else is in PATH, without the half of its library that is not
# needed.
put_python() {
	local library file
	put "$(realpath /usr/bin/python3)" /usr/bin/python3 || return
	library=$(/usr/bin/python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))') || return
	mkdir -p "$tree$library" || return
	tar -C "$library" -cf - --exclude={test,idlelib,lib2to3,tkinter,ensurepip,distutils,pydoc_data} \
		--exclude={'config-*','*.opt-?.pyc',turtledemo,dist-packages,site-packages} . | tar -C "$tree$library" -xf - || return
	while read -r file; do
		put "$file" || return
	done < <(find "$library/lib-dynload" -name '*.so')
}

# The dispatcher that libxdp puts in front of programs.
put_dispatcher() {
	local folder
	folder=$(find /usr/lib -path '*/bpf/xdp-dispatcher.o' -printf '%h\n' -quit)
	install -D -m 644 -t "$tree$folder" "$folder/xdp-dispatcher.o"
}

# With an empty /etc/passwd, "root" and "nobody" would not be found.
put_system() {
	local folder
	# Users other than root must be able to enter it.
	chmod 755 "$tree" || return
	mkdir -p "$tree"/{proc,sys,dev,run,tmp,etc,modules,applets,boot,mnt,root} \
		"$tree"/usr/{bin,sbin,lib,lib64} "$tree/var" || return
	for folder in bin sbin lib lib64; do
		ln -s "usr/$folder" "$tree/$folder" || return
	done
	printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$tree/etc/passwd"
	printf 'root:x:0:\nnogroup:x:65534:\n' >"$tree/etc/group"
	echo "127.0.0.1 localhost" >"$tree/etc/hosts"
	cp /etc/protocols /etc/services "$tree/etc/" 2>/dev/null
	cp /etc/os-release "$tree/etc/" 2>/dev/null
	put_programs && put_python && put_dispatcher
}

# Copies the files to the same places as in the tree of the build, so that tests find them.
put_project() { # TEST...
	local path
	put "$root/build/bkxdp" /bkxdp/build/bkxdp &&
		put "$root/build/bkxdp-exporter" /bkxdp/build/bkxdp-exporter && put "$root/build/tests/wire" /bkxdp/build/tests/wire &&
		put "$root/build/tests/vm/probe" /bkxdp/build/tests/vm/probe || return
	for path in "$root"/build/tests/vm/*.bpf.o; do
		install -D -m 644 "$path" "$tree/bkxdp/build/tests/vm/$(basename "$path")" || return
	done
	mkdir -p "$tree/bkxdp/scripts" && cp -r "$root/tests" "$root/profiles" "$tree/bkxdp/" || return
	cp "$root/scripts/lib.sh" "$tree/bkxdp/scripts/" && cp "$root/tests/vm/init" "$tree/init" || return
	for path; do
		[[ $path != build/* ]] || put "$root/$path" "/bkxdp/$path" || return
		echo "$path"
	done >"$tree/bkxdp/tests/list"
}

# The kernel takes two archives in a row as one file system. Unpacking costs it more than reading.
pack() { # FOLDER
	(cd "$1" && find . | cpio -o -H newc -R 0:0 --quiet)
}

# Prints the paths of the kernel's modules for our devices, in order; built-in drivers have none.
module_files() { # MODULES VERSION
	local name
	for name in $devices; do
		modprobe -C /dev/null -d "$1" -S "$2" --show-depends "$name" 2>/dev/null
	done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++'
}

put_modules() { # FOLDER MODULES VERSION
	local file name
	mkdir -p "$1/modules" || return
	: >"$1/modules/order"
	while read -r file; do
		name=$(basename "${file%.ko*}").ko
		case $file in
		*.xz) xz -dc "$file" ;;
		*.zst) zstd -qdc "$file" ;;
		*.gz) gzip -dc "$file" ;;
		*) cat "$file" ;;
		esac >"$1/modules/$name" || return
		echo "$name" >>"$1/modules/order"
	done < <(module_files "$2" "$3")
}
