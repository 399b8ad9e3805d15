FROM debian:12-slim
COPY src /usr/share/nginx/html
CMD ["nginx", "-g", "daemon off;"]
