#!/bin/sh
# Makes the sample film and its thumbnail again, the same bytes each time with the same ffmpeg and font (made with
# ffmpeg 5.1, libvpx 1.12, DejaVu Sans 2.37). Needs: ffmpeg, fonts-dejavu-core.
#
# VP9 in WebM, because it plays wherever the player is likely to be tried: Firefox and every build of Chromium, also those
# without patented codecs, and Safari since 14.1 (iOS 17.4). H.264 would miss the former and reach little beyond the latter.
set -eu
cd "$(dirname "$0")"

name="Sample clip"
font=${FONT:-/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf}

# The second in large figures, and a bar that fills: where playback stands is seen at a glance.
picture="color=c=0x14202e:s=640x360:r=10:d=60,
    drawtext=fontfile=$font:text='%{eif\:t\:d}':fontsize=150:fontcolor=0xf2ede4:x=(w-text_w)/2:y=88,
    drawtext=fontfile=$font:text='of sixty seconds':fontsize=22:fontcolor=0x8fa3b8:x=(w-text_w)/2:y=252[page];
    color=c=0x2c3e52:s=560x4:r=10:d=60[groove];
    color=c=0xe8a33d:s=560x4:r=10:d=60[fill];
    [groove][fill]overlay=x='560*(t+0.1)/60-560':y=0[bar];
    [page][bar]overlay=x=40:y=312,format=yuv420p[out]"

# A keyframe every two seconds makes seeking quick; the index in front lets it play before it has arrived whole.
ffmpeg -v error -y -nostdin -filter_complex "$picture" -map '[out]' -an \
    -c:v libvpx-vp9 -crf 40 -b:v 0 -g 20 -keyint_min 20 -row-mt 0 -threads 1 -deadline good -cpu-used 1 \
    -auto-alt-ref 0 -lag-in-frames 0 -flags:v +bitexact -fflags +bitexact -map_metadata -1 -cues_to_front 1 \
    "$name.webm"

ffmpeg -v error -y -nostdin -i "$name.webm" -vf "select=gte(t\,42)" -frames:v 1 \
    -c:v mjpeg -q:v 5 -pix_fmt yuvj420p -flags:v +bitexact -fflags +bitexact -map_metadata -1 "$name.jpg"
