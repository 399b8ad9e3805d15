FROM python:3.11 AS tools
FROM node:20-alpine
COPY . .
CMD ["node", "server.js"]
