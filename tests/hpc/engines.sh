#!/usr/bin/env bash
# Install and start the engines of tests/hpc on one Debian machine, as root and without an image registry:
#
#   engines.sh up docker DIR        a separate daemon at unix://DIR/docker.sock
#   engines.sh up base DIR          the image debian-python:bookworm in that daemon, built from Debian packages
#   engines.sh up apptainer DIR     Debian's newest version, with the C library that it needs under DIR
#   engines.sh up slurm DIR         a cluster of two nodes, n1 and n2, on this machine; logs in DIR/log
#   engines.sh down docker|slurm DIR
#
# Missing Debian packages are installed. Daemons are stopped by their pid files in DIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
action=${1:-} engine=${2:-} dir=${3:-}
[[ $dir ]] || { sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 2; }
dir=$(mkdir -p "$dir" && realpath "$dir")
export DEBIAN_FRONTEND=noninteractive DOCKER_HOST=unix://$dir/docker.sock

packages() { # install those that are missing
  local missing=() name
  for name; do dpkg-query --show --showformat '${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name"); done
  ((${#missing[@]})) || return 0
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends "${missing[@]}"; } >/dev/null
}

wait_for() { # seconds, then a command that must succeed
  local end=$((SECONDS + $1)); shift
  until "$@" >/dev/null 2>&1; do ((SECONDS < end)) || { echo "still not: $*" >&2; return 1; }; sleep 0.1; done
}

end() { # stop the processes of these pid files
  local file pid
  for file; do
    [[ -s $file ]] || continue
    pid=$(<"$file") && kill "$pid" 2>/dev/null && wait_for 20 gone "$pid"
    rm -f "$file"
  done
}

gone() { ! kill -0 "$1" 2>/dev/null; }

# Docker fails where both versions of control groups are mounted, so the newer one is unmounted in its mount namespace.
up_docker() {
  packages docker.io
  ! /usr/bin/docker info >/dev/null 2>&1 || return 0
  mkdir -p "$dir"/{data,exec}
  unshare --mount --propagation private -- bash -c '
    umount /sys/fs/cgroup/unified 2>/dev/null
    exec dockerd --iptables=false --ip-masq=false --bridge=none --host "$DOCKER_HOST" --pidfile "$0/docker.pid" \
      --data-root "$0/data" --exec-root "$0/exec"' "$dir" >"$dir/docker.log" 2>&1 &
  wait_for 30 /usr/bin/docker info
}

down_docker() {
  end "$dir/docker.pid"
  rm -rf "$dir/data" "$dir/exec"
}

up_base() {
  packages mmdebstrap ca-certificates
  mmdebstrap --quiet --variant=minbase --include=python3-venv,ca-certificates,libstdc++6 \
    --customize-hook='copy-in /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs' bookworm - 2>"$dir/mmdebstrap.log" |
    /usr/bin/docker import - debian-python:bookworm
}

# Debian has Apptainer only in sid, built for a newer C library than older releases have, so both are unpacked.
up_apptainer() {
  ! apptainer --version >/dev/null 2>&1 || return 0 # it fails if the DIR of an earlier run, with its C library, was deleted
  packages patchelf squashfs-tools squashfuse fuse3 libseccomp2 uidmap
  local work mirror binary options library=/usr/lib/x86_64-linux-gnu
  work=$(mktemp -d)
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep '/debian/*$' | head -n 1) # this machine's
  mkdir -p "$work"/{lists/partial,archives/partial,unpacked,libc} "$dir/libc" /var/lib/apptainer/mnt/session
  : >"$work/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$work/sid.list"
  options=(-qq -o Dir::Etc::SourceList="$work/sid.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists"
    -o Dir::Cache="$work" -o Dir::State::Status="$work/status" -o Acquire::Languages=none -o APT::Sandbox::User=root)
  apt-get "${options[@]}" update
  (cd "$work" && apt-get "${options[@]}" download apptainer libc6)
  dpkg --extract "$work"/apptainer_*.deb "$work/unpacked"
  dpkg --extract "$work"/libc6_*.deb "$work/libc"
  cp -a "$work/libc$library/." "$dir/libc/"
  cp -a "$work/unpacked/etc/apptainer" /etc/
  cp -a "$work/unpacked$library/apptainer" "$library/"
  cp -a "$work/unpacked/usr/bin/apptainer" /usr/bin/
  for binary in /usr/bin/apptainer "$library/apptainer/bin/starter"; do
    patchelf --set-interpreter "$dir/libc/ld-linux-x86-64.so.2" --set-rpath "$dir/libc:$library:/lib/x86_64-linux-gnu" "$binary"
  done
  rm -rf "$work"
  apptainer --version >/dev/null
}

up_slurm() {
  packages slurmctld slurmd slurm-client munge
  mkdir -p "$dir"/{state,spool.n1,spool.n2,log} /run/munge
  chmod 755 "$dir" /run/munge && chown munge: /run/munge
  pgrep -x munged >/dev/null || runuser -u munge -- munged --num-threads=2
  touch "$dir"/gpu{0,1}
  sed "s|@DIR@|$dir|g; s|@HOST@|$(hostname -s)|g" "$here/slurm.conf" >/etc/slurm/slurm.conf
  printf 'AutoDetect=off\nNodeName=n1,n2 Name=gpu File=%s/gpu[0-1]\n' "$dir" >/etc/slurm/gres.conf
  printf 'CgroupAutomount=no\nConstrainCores=no\nConstrainRAMSpace=no\n' >/etc/slurm/cgroup.conf
  slurmctld -c
  slurmd -N n1 && slurmd -N n2
  wait_for 30 two_idle
}

two_idle() { [[ $(sinfo --noheader --partition main --states idle --format %D) == 2 ]]; }

down_slurm() {
  scancel --user root 2>/dev/null || true
  end "$dir"/slurmd.n{1,2}.pid "$dir/slurmctld.pid"
  rm -rf "$dir"/state "$dir"/spool.*
  echo "# none: tests/hpc stopped it" >/etc/slurm/slurm.conf # otherwise every command waits for its controller
}

declare -F "${action}_$engine" >/dev/null || { echo "engines.sh knows no $action $engine" >&2; exit 2; }
"${action}_$engine"
