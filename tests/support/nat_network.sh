#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two homes behind NATs and a server on "the internet", in network namespaces of their own. Nothing here can leave: the
# addresses are public ones so that the daemon treats them as such, and exist inside only.
#
#   client_a 10.1.0.2 -- nat_a 5.5.5.10 --\
#                                          server 5.5.5.5 and 5.5.5.6
#   client_b 10.2.0.2 -- nat_b 5.5.5.20 --/
#
# nat_network.sh cone|address-dependent|symmetric|https-only|dual-stack
#   cone               a mapping keeps its port: what STUN finds is where peers reach the client
#   address-dependent  5.5.5.6 sees another address than 5.5.5.5 does, each the same for all of its ports
#   symmetric          each destination sees another, random port
#   https-only         so too, and the NATs let nothing out but TCP to port 443
#   dual-stack         as cone, and IPv6 without NAT: the server is 2400:5::5
# Prints a line "NAME PID" for each namespace, then "up"; all of them end with its standard input.
set -eu
kind=$1
[ "$(id -u)" = 0 ] || exec unshare --user --map-root-user "$0" "$@"
command -v nft >/dev/null || { echo "nft (package nftables) is missing" >&2; exit 1; }
exec 3<&0

holder() { # NAME: sets NAME to the process that holds a new namespace
  unshare --net cat <&3 >/dev/null &
  pid=$!
  until [ "$(readlink "/proc/$pid/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do
    kill -0 "$pid"
    sleep 0.01
  done
  eval "$1=$pid"
  # Link-local addresses that become usable a while after a browser has started count as another network there.
  nsenter --target "$pid" --net sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad'
  nsenter --target "$pid" --net ip link set lo up
  echo "$1 $pid"
}

pid_of() { eval "echo \"\$$1\""; }

within() { # NAME COMMAND...
  name=$1
  shift
  nsenter --target "$(pid_of "$name")" --net "$@"
}

cable() { # NAME CARD NAME CARD
  within "$1" ip link add "$2" type veth peer name "$4" netns "$(pid_of "$3")"
  within "$1" ip link set "$2" up
  within "$3" ip link set "$4" up
}

home() { # LETTER PRIVATE_PREFIX PUBLIC_ADDRESS
  nat=nat_$1 client=client_$1 ports=
  case $kind in symmetric | https-only) ports=random,fully-random ;; esac
  holder "$nat"
  holder "$client"
  cable server "home_$1" "$nat" wan
  within server ip link set "home_$1" master internet
  within "$nat" ip address add "$3/24" dev wan
  cable "$nat" lan "$client" eth0
  within "$nat" ip address add "$2.1/24" dev lan
  within "$client" ip address add "$2.2/24" dev eth0
  within "$client" ip route add default via "$2.1"
  within "$nat" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  [ "$kind" != dual-stack ] || home_v6 "$1"
  [ "$kind" != address-dependent ] || within "$nat" ip address add "${3%.*}.1${3##*.}/24" dev wan
  within "$nat" nft -f - <<RULES
    table ip nat {
      chain postrouting {
        type nat hook postrouting priority srcnat
        $([ "$kind" != address-dependent ] || echo "oifname wan ip daddr 5.5.5.6 snat to ${3%.*}.1${3##*.}")
        oifname "wan" masquerade $ports
      }
      chain forward {
        type filter hook forward priority filter; policy drop
        ct state established,related accept
        iifname "lan" $([ "$kind" != https-only ] || echo tcp dport 443) accept
      }
      chain input {
        type filter hook input priority filter
        iifname "wan" ct state new drop
      }
    }
RULES
}

home_v6() { # LETTER
  within "nat_$1" ip address add "2400:5::$1/64" dev wan nodad
  within "nat_$1" ip address add "2400:$1::1/64" dev lan nodad
  within "nat_$1" sh -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
  within "client_$1" ip address add "2400:$1::2/64" dev eth0 nodad
  within "client_$1" ip route add default via "2400:$1::1"
  within server ip route add "2400:$1::/64" via "2400:5::$1"
}

holder server
within server ip link add internet type bridge
within server ip address add 5.5.5.5/24 dev internet
within server ip address add 5.5.5.6/24 dev internet
within server ip link set internet up
if [ "$kind" = dual-stack ]; then
  within server ip address add 2400:5::5/64 dev internet nodad
  within server ip route add default via 5.5.5.10  # what a client over IPv6 gets is an IPv4 relay: that of this route
fi
home a 10.1.0 5.5.5.10
home b 10.2.0 5.5.5.20
echo up
cat <&3 >/dev/null
