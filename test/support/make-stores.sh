set -e
cd "$1"
P=changeit
# CA
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 36500 -subj "/CN=ktool test authority" 2>/dev/null
openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other-ca.pem -days 36500 -subj "/CN=another authority" 2>/dev/null
mk() { # name subj san days key
  openssl req -newkey ${4:-rsa:2048} ${5:-} -nodes -keyout $1.key -out $1.csr -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days $3 -out $1.pem -extfile <(echo "subjectAltName=$2") 2>/dev/null
}
mk server "DNS:localhost,IP:127.0.0.1,IP:::1" 36500
mk stranger "DNS:elsewhere.example" 36500
mk client "DNS:client" 36500
mk ecclient "DNS:client" 36500 ec "-pkeyopt ec_paramgen_curve:P-256"
# expired
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days -1 -out expired.pem -extfile <(echo "subjectAltName=DNS:localhost") 2>/dev/null || \
  openssl ca -help >/dev/null 2>&1
# trust stores
keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.p12 -storetype PKCS12 -storepass $P 2>/dev/null
keytool -J-Dkeystore.pkcs12.legacy -importcert -noprompt -alias ca -file ca.pem -keystore trust-legacy.p12 -storetype PKCS12 -storepass $P 2>/dev/null
keytool -importcert -noprompt -alias ca -file ca.pem -keystore trust.jks -storetype JKS -storepass $P 2>/dev/null
keytool -J-Dkeystore.pkcs12.certProtectionAlgorithm=NONE -J-Dkeystore.pkcs12.macAlgorithm=NONE -importcert -noprompt -alias ca -file ca.pem -keystore trust-open.p12 -storetype PKCS12 -storepass $P 2>/dev/null
openssl pkcs12 -export -nokeys -in ca.pem -out trust-openssl.p12 -passout pass:$P
# key stores
for n in server stranger client ecclient; do openssl pkcs12 -export -inkey $n.key -in $n.pem -certfile ca.pem -name $n -out $n.p12 -passout pass:$P; done
openssl pkcs12 -export -inkey server.key -in expired.pem -certfile ca.pem -name server -out expired.p12 -passout pass:$P
openssl pkcs12 -export -legacy -inkey client.key -in client.pem -certfile ca.pem -name client -out client-legacy.p12 -passout pass:$P
keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass $P -destkeystore client-keytool.p12 -deststoretype PKCS12 -deststorepass $P 2>/dev/null
keytool -J-Dkeystore.pkcs12.legacy -importkeystore -noprompt -srckeystore client.p12 -srcstorepass $P -destkeystore client-keytool-legacy.p12 -deststoretype PKCS12 -deststorepass $P 2>/dev/null
keytool -importkeystore -noprompt -srckeystore client.p12 -srcstorepass $P -destkeystore client.jks -deststoretype JKS -deststorepass $P -destkeypass keysecret -srcalias client -destalias client 2>/dev/null
openssl pkcs8 -topk8 -in client.key -passout pass:keysecret -out client-encrypted.key
cat client-encrypted.key client.pem ca.pem > client-keystore.pem
rm -f *.csr *.srl
