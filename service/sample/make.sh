#!/bin/sh
# Makes the sample clip and its thumbnail again, the same bytes each time with the same ffmpeg (made
# with ffmpeg 5.1 and libvpx 1.12). The picture is ffmpeg's test source, which counts the seconds.
#
# VP9 in WebM, because it plays in every build of Firefox and Chromium, those without patented
# codecs included, and in Safari since 14.1 (iOS 17.4).
set -eu
cd "$(dirname "$0")"

# A keyframe every two seconds makes seeking quick; the index in front lets it play before it has
# arrived whole.
ffmpeg -v error -y -nostdin -f lavfi -i testsrc=size=640x360:rate=10:duration=60 -pix_fmt yuv420p \
    -c:v libvpx-vp9 -crf 50 -b:v 0 -g 20 -keyint_min 20 -row-mt 0 -threads 1 -deadline good -cpu-used 2 \
    -auto-alt-ref 0 -lag-in-frames 0 -flags:v +bitexact -fflags +bitexact -map_metadata -1 -cues_to_front 1 \
    "Sample clip.webm"

ffmpeg -v error -y -nostdin -ss 42 -i "Sample clip.webm" -frames:v 1 \
    -c:v mjpeg -q:v 5 -pix_fmt yuvj420p -flags:v +bitexact -fflags +bitexact -map_metadata -1 "Sample clip.jpg"
